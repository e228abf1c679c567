// Files for a program: each is sent to /v1/files first, and the run names it by its id.

import {send} from "./api.js";
import {bytes, find} from "./elements.js";

export function setUpFiles() {
    const input = find("files");
    input.addEventListener("change", () => {
        find("files-chosen").textContent =
            [...input.files].map((file) => `${file.name}, ${bytes(file.size)}`).join("; ");
    });
}

async function upload(file, signal) {
    const form = new FormData();
    form.append("purpose", "user_data");
    form.append("file", file, file.name);
    const response = await send("POST", "v1/files", {body: form, signal});
    return {file_id: (await response.json()).id, path: file.name};
}

// The member `files` of a run, or undefined.
export async function uploadFiles(signal) {
    const files = [...find("files").files];
    const sent = [];
    for (const file of files)
        sent.push(await upload(file, signal));
    return sent.length > 0 ? sent : undefined;
}
