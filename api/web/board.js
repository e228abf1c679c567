// The live board: GET /v1/fleet every two seconds while the page is looked at.

import {getJson} from "./api.js";
import {clock, element, find, milliseconds} from "./elements.js";
import {Recent} from "./latency.js";

const EVERY_MS = 2000;
const recent = new Recent();

function table(caption, heads, rows) {
    const head = element("tr", {}, ...heads.map((text, i) =>
        element("th", {scope: "col", class: i > 0 ? "number" : null}, text)));
    const body = rows.map((cells) => element("tr", {}, ...cells.map((cell, i) =>
        element("td", {class: i > 0 ? "number" : null}, cell instanceof Node ? cell : String(cell)))));
    return element("div", {class: "scroll"}, element("table", {},
        element("caption", {}, caption), element("thead", {}, head), element("tbody", {}, ...body)));
}

function usedSlots(busy, slots) {
    return element("span", {class: "slots"},
        element("meter", {min: 0, max: Math.max(slots, 1), value: busy, "aria-hidden": "true"}),
        ` ${busy}/${slots}`);
}

function languages(fleet) {
    return table("Queues", ["Language", "Queued", "Workers", "Slots busy"],
        fleet.languages.map((one) =>
            [one.name, one.queued, one.workers, usedSlots(one.busy, one.slots)]));
}

function sum(worker, member) {
    return worker.languages.reduce((total, one) => total + one[member], 0);
}

function workers(fleet) {
    const rows = fleet.workers.map((worker) => [
        element("span", {title: worker.id}, element("span",
            {class: "status", "data-kind": worker.state === "serving" ? "good" : "bad"}, worker.state || "?"),
        ` ${worker.host || worker.id}`),
        worker.version || "–",
        milliseconds(worker.beat_age_ms),
        usedSlots(sum(worker, "busy"), sum(worker, "slots"))]);
    return table("Workers", ["Worker", "Version", "Last beat", "Slots busy"], rows);
}

function latency() {
    const rows = [["Waiting", "queue"], ["Running", "execution"], ["Whole", "total"]].map(
        ([title, name]) => [title, ...[0.5, 0.9, 0.99].map((part) =>
            milliseconds(recent.quantile(name, part)))]);
    return table("Latency, last minute", ["Part", "p50", "p90", "p99"], rows);
}

function failures(fleet) {
    const rows = fleet.failures.slice(0, 8).map((one) =>
        [`${clock(one.at_ms)} ${one.outcome.replaceAll("_", " ")}`, one.language,
            milliseconds(one.queue_ms), milliseconds(one.exec_ms)]);
    return table("Recent failures", ["When, what", "Language", "Waited", "Ran"], rows);
}

function numbers(fleet) {
    const done = fleet.jobs.reduce((total, one) => total + one.count, 0);
    const rows = [["Jobs", done], ["In flight", fleet.in_flight], ["Retried", fleet.retried],
        ["Lost", fleet.lost], ["Dead letters", fleet.dead_letters]];
    return element("dl", {class: "usage"}, ...rows.map(([name, value]) =>
        element("div", {}, element("dt", {}, name), element("dd", {}, String(value)))));
}

function health(fleet) {
    const unserved = fleet.languages.filter((one) => one.workers === 0).map((one) => one.name);
    if (!fleet.redis_up)
        return ["bad", "Redis is away"];
    if (fleet.languages.length === 0)
        return ["open", "Nothing is known of the workers yet"];
    if (unserved.length > 0)
        return ["bad", `No worker serves ${unserved.join(", ")}`];
    return ["good", "Serving"];
}

function setHealth(kind, text) {
    const shown = find("health");
    if (shown.textContent !== text)
        shown.textContent = text;
    shown.dataset.kind = kind;
}

function show(fleet) {
    recent.add(performance.now(), fleet.latency);
    find("board-body").replaceChildren(numbers(fleet), languages(fleet), workers(fleet), latency(),
        ...(fleet.failures.length > 0 ? [failures(fleet)] : []));
    find("board-state").textContent = "";
    setHealth(...health(fleet));
}

// onAnswer is told of each answer, onError of each that failed; false from it ends the watching.
export function watchFleet(onAnswer, onError) {
    let timer = 0, ended = false;
    const look = async () => {
        try {
            const fleet = await getJson("v1/fleet");
            if (ended)
                return;
            show(fleet);
            onAnswer();
        } catch (error) {
            if (ended)
                return;
            setHealth("bad", error.status === 0 ? "The server cannot be reached" : "The board is not shown");
            find("board-state").textContent = `as of before; ${error.message}`;
            if (!onError(error))
                return;
        }
        timer = setTimeout(next, EVERY_MS);
    };
    const next = () => {
        if (ended)
            return;
        if (document.hidden)
            document.addEventListener("visibilitychange", next, {once: true});
        else
            look();
    };
    next();
    return () => {
        ended = true;
        clearTimeout(timer);
    };
}
