// Requests to the server that this page came from, with the key, and its errors as sentences.

const base = new URL(".", location.href);
let key = "";

export class ApiError extends Error {
    constructor(status, code, message) {
        super(message);
        this.status = status; // 0: there was no answer
        this.code = code;
    }
}

export function setKey(value) {
    key = value;
}

// path is relative to where the API is, without a slash in front.
export function addressOf(path) {
    return new URL(path, base);
}

// What a 422 says is a list of complaints, each with its place.
function sentenceOf(body, status) {
    if (body && body.error && body.error.message)
        return body.error.message;
    if (body && Array.isArray(body.detail))
        return body.detail.map((one) => `${(one.loc || []).slice(1).join(".")}: ${one.msg}`).join("; ");
    if (body && typeof body.detail === "string")
        return body.detail;
    return `The server answered with status ${status}.`;
}

async function failure(response) {
    const body = await response.json().catch(() => null);
    return new ApiError(response.status, body?.error?.code || "", sentenceOf(body, response.status));
}

// options: body (an object goes as JSON), headers, signal. Returns the Response, or throws ApiError.
export async function send(method, path, options = {}) {
    const headers = new Headers(options.headers);
    let body = options.body;
    if (key)
        headers.set("Authorization", `Bearer ${key}`);
    if (body && !(body instanceof FormData)) {
        headers.set("Content-Type", "application/json");
        body = JSON.stringify(body);
    }
    let response;
    try {
        response = await fetch(addressOf(path), {
            method, headers, body, signal: options.signal, cache: "no-store", credentials: "omit",
        });
    } catch (error) {
        if (error.name === "AbortError")
            throw error;
        throw new ApiError(0, "unreachable", "The server cannot be reached.");
    }
    if (!response.ok)
        throw await failure(response);
    return response;
}

export async function getJson(path, options) {
    return (await send("GET", path, options)).json();
}

export async function postJson(path, body, options) {
    return (await send("POST", path, {...options, body})).json();
}
