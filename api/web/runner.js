// Starting a run and following it to its end, over connections that may break.

import {ApiError, getJson, postJson, send} from "./api.js";
import {readEvents} from "./events.js";

const TRIES = 20;
const WAIT_MS = 1000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export const isOpen = (run) => run.status === "queued" || run.status === "running";

export function startRun(body, signal) {
    return postJson("v1/runs", body, {signal});
}

export function cancelRun(id) {
    return send("POST", `v1/runs/${encodeURIComponent(id)}/cancel`);
}

// One connection; true: the run has ended and view knows it.
async function followOnce(path, state, view, signal) {
    const headers = state.last ? {"Last-Event-ID": state.last} : {};
    const response = await send("GET", `${path}/events`, {headers, signal});
    if (response.status === 204) // all was told
        return false;
    for await (const event of readEvents(response.body)) {
        state.tries = 0;
        if (event.id)
            state.last = event.id;
        const data = JSON.parse(event.data);
        if (event.name === "queued")
            view.queued(data);
        else if (event.name === "started")
            view.started(data);
        else if (event.name === "output")
            view.output(data);
        else if (event.name === "finished") {
            view.finished(data);
            return true;
        }
    }
    return false;
}

// An answer that will be the same next time.
const isFinal = (error) =>
    error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;

// Calls view.queued, started, output, finished, and waiting while there is no connection.
export async function followRun(id, view, signal) {
    const path = `v1/runs/${encodeURIComponent(id)}`;
    const state = {last: "", tries: 0};
    for (;;) {
        try {
            if (await followOnce(path, state, view, signal))
                return;
            // Ended early: maybe there is nothing more to tell.
            const run = await getJson(path, {signal});
            if (!isOpen(run)) {
                view.finished(run);
                return;
            }
        } catch (error) {
            if (signal.aborted || isFinal(error) || ++state.tries >= TRIES)
                throw error;
            view.waiting(error instanceof ApiError ? error.message : "The connection was lost.");
        }
        await pause(WAIT_MS);
    }
}
