// One run: its output as it comes, verdict, usage, artifacts.

import {addressOf} from "./api.js";
import {bytes, element, find, milliseconds, notice} from "./elements.js";

// What a browser may draw. SVG is not among them: it is a document, with scripts.
const IMAGES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

const GOOD = new Set(["succeeded"]);
const OPEN = new Set(["queued", "running", "sending"]);

function setStatus(status, more = "") {
    const shown = find("run-status");
    shown.textContent = status.replaceAll("_", " ") + more;
    shown.dataset.kind = GOOD.has(status) ? "good" : OPEN.has(status) ? "open" : "bad";
}

// ---- output ----

const written = {stdout: "", stderr: ""};
let waitingPieces = [];

function clearOutput() {
    written.stdout = written.stderr = "";
    waitingPieces = [];
    find("output").replaceChildren();
}

// A program that writes a thousand lines does not lay the page out a thousand times.
function flush() {
    const output = find("output");
    const follows = output.scrollTop + output.clientHeight >= output.scrollHeight - 24;
    for (const {stream, text} of waitingPieces) {
        const last = output.lastChild;
        if (last && last.className === stream)
            last.firstChild.appendData(text);
        else
            output.append(element("span", {class: stream}, text));
    }
    waitingPieces = [];
    if (follows)
        output.scrollTop = output.scrollHeight;
}

function write(stream, text) {
    if (!text)
        return;
    written[stream] += text;
    waitingPieces.push({stream, text});
    if (waitingPieces.length === 1)
        setTimeout(flush, 30);
}

// Streamed pieces may be cut inside of a character, and some may be missing: the record is right.
function writeRecord(run) {
    if (written.stdout === run.stdout && written.stderr === run.stderr)
        return;
    clearOutput();
    write("stdout", run.stdout);
    write("stderr", run.stderr);
}

// ---- what is told at the end ----

function showUsage(run) {
    const usage = run.usage || {};
    const rows = [
        ["Exit code", run.exit_code ?? "–"],
        ["Ran", milliseconds(usage.exec_ms)],
        ["CPU", milliseconds(usage.cpu_ms)],
        ["Waited", milliseconds(usage.queue_ms)],
        ["Memory, peak", usage.peak_memory_bytes ? bytes(usage.peak_memory_bytes) : "–"],
        ["Output", usage.output_bytes === undefined ? "–" : bytes(usage.output_bytes)],
    ];
    const dropped = (run.truncation?.stdout_dropped_bytes || 0) +
        (run.truncation?.stderr_dropped_bytes || 0);
    if (dropped > 0)
        rows.push(["Dropped", bytes(dropped)]);
    find("usage").replaceChildren(...rows.map(([name, value]) =>
        element("div", {}, element("dt", {}, name), element("dd", {}, String(value)))));
}

// The link's path and query, at this server: it may be known to others by another name.
function linkOf(artifact) {
    if (!artifact.url)
        return null;
    const url = new URL(artifact.url, addressOf(""));
    const path = url.pathname.slice(url.pathname.lastIndexOf("/v1/") + 1);
    return addressOf(path + url.search).href;
}

function showArtifact(artifact) {
    const link = linkOf(artifact);
    const name = link
        ? element("a", {href: link, download: artifact.name.split("/").pop()}, artifact.name)
        : element("span", {}, artifact.name);
    const about = [bytes(artifact.size), artifact.content_type];
    if (!link)
        about.push("not kept: this server has no place for files");
    const caption = element("figcaption", {}, name,
        element("span", {class: "faint"}, ` ${about.filter(Boolean).join(", ")}`));
    const image = link && IMAGES.has(artifact.content_type)
        ? element("img", {src: link, alt: `Image ${artifact.name}`})
        : null;
    return element("figure", {}, image, caption);
}

function showArtifacts(run) {
    const refused = (run.artifacts_refused || []).map((one) =>
        element("figure", {}, element("figcaption", {}, one.name,
            element("span", {class: "faint"}, ` refused: ${one.reason}`))));
    find("artifacts").replaceChildren(...(run.artifacts || []).map(showArtifact), ...refused);
}

// ---- the view that a runner talks to ----

export const view = {
    sending() {
        clearOutput();
        setStatus("sending");
        notice(find("run-notice"), "");
        find("run-id").textContent = "";
        find("usage").replaceChildren();
        find("artifacts").replaceChildren();
    },
    queued(run) {
        setStatus("queued");
        find("run-id").textContent = run.id;
    },
    started({attempt}) {
        setStatus("running", attempt > 1 ? `, attempt ${attempt}` : "");
        notice(find("run-notice"), attempt > 1 ? "Its worker was lost; it runs once more." : "", false);
        if (attempt > 1)
            clearOutput();
    },
    output({stream, text}) {
        notice(find("run-notice"), "");
        write(stream === "stderr" ? "stderr" : "stdout", text);
    },
    waiting(sentence) {
        notice(find("run-notice"), `${sentence} Trying again…`, false);
    },
    finished(run) {
        find("run-id").textContent = run.id;
        setStatus(run.status);
        writeRecord(run);
        notice(find("run-notice"), run.error ? run.error.message : "");
        showUsage(run);
        showArtifacts(run);
    },
    failed(error) {
        setStatus("failed");
        find("run-status").textContent = "not run";
        const missing = error.status === 404 || error.status === 405;
        notice(find("run-notice"), missing
            ? `This server does not offer that: ${error.message}` : error.message);
    },
};
