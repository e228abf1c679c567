// Wiring: what happens when.

import {getJson} from "./api.js";
import {watchFleet} from "./board.js";
import {setUpEditor} from "./editor.js";
import {find, notice} from "./elements.js";
import {setUpFiles, uploadFiles} from "./files.js";
import {setUpHistory} from "./history.js";
import {accepted, refused, setUpKey} from "./key.js";
import {view} from "./result.js";
import {readForm, setUpForm} from "./run_form.js";
import {cancelRun, followRun, isOpen, startRun} from "./runner.js";

let running = null; // {abort, id} of the run that is looked at
let stopWatching = () => {};

const refreshHistory = setUpHistory(showRun);

function onError(error) {
    if (error.name === "AbortError")
        return;
    if (refused(error))
        view.failed(error);
    else if (error.status === undefined)
        throw error; // a fault of this page
    else
        view.failed(error);
}

// Makes this the run that is looked at; a former one goes on without being looked at.
function begin() {
    running?.abort.abort();
    const current = {abort: new AbortController(), id: null};
    running = current;
    return current;
}

async function follow(current, run) {
    current.id = run.id;
    find("cancel").hidden = !isOpen(run);
    if (isOpen(run))
        await followRun(run.id, view, current.abort.signal);
    else
        view.finished(run);
}

async function watch(work) {
    const current = begin();
    view.sending();
    try {
        await work(current);
    } catch (error) {
        onError(error);
    } finally {
        if (running === current)
            find("cancel").hidden = true;
    }
}

async function submit() {
    await watch(async (current) => {
        const signal = current.abort.signal;
        const body = readForm();
        body.files = await uploadFiles(signal);
        const run = await startRun(body, signal);
        view.queued(run);
        await follow(current, run);
    });
    refreshHistory();
}

function showRun(id) {
    return watch(async (current) => {
        const run = await getJson(`v1/runs/${encodeURIComponent(id)}`,
            {signal: current.abort.signal});
        await follow(current, run);
        find("result-title").scrollIntoView({block: "nearest"});
    });
}

async function cancel() {
    try {
        if (running?.id)
            await cancelRun(running.id);
    } catch (error) {
        onError(error);
    }
}

// A key to try, or none is needed.
function onKey() {
    stopWatching();
    stopWatching = watchFleet(accepted, (error) => !refused(error));
    refreshHistory();
}

function setUpKeys() {
    document.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey))
            return;
        event.preventDefault();
        find("run-form").requestSubmit();
    });
    find("run-form").addEventListener("submit", (event) => {
        event.preventDefault();
        submit();
    });
    find("cancel").addEventListener("click", cancel);
}

async function start() {
    setUpKeys();
    setUpFiles();
    try {
        const about = await getJson("admin/about");
        find("version").textContent = about.version;
        setUpForm(about);
        setUpEditor(find("code"), find("gutter"));
        setUpKey(about.key_required, onKey);
    } catch (error) {
        find("health").dataset.kind = "bad";
        find("health").textContent = error.message;
        if (error.status === undefined)
            throw error;
        notice(find("key-notice"), `The page cannot begin: ${error.message}`);
    }
}

start();
