// The caller's runs, newest first.

import {getJson} from "./api.js";
import {clock, element, find, milliseconds, notice} from "./elements.js";

const PAGE = 15;
let last = null;

function row(run, onShow) {
    const show = element("button", {type: "button", class: "link"}, run.id.slice(0, 12));
    show.setAttribute("aria-label", `Show ${run.id}`);
    show.addEventListener("click", () => onShow(run.id));
    const kind = run.status === "succeeded" ? "good"
        : run.status === "queued" || run.status === "running" ? "open" : "bad";
    return element("tr", {},
        element("td", {}, clock(run.created_at * 1000)),
        element("td", {}, element("span", {class: "status", "data-kind": kind},
            run.status.replaceAll("_", " "))),
        element("td", {}, run.language),
        element("td", {class: "number"}, milliseconds(run.usage?.exec_ms).replace(" ms", "")),
        element("td", {}, show));
}

async function load(more, onShow) {
    const rows = find("history-rows");
    try {
        const page = await getJson(
            `v1/runs?limit=${PAGE}${more ? `&after=${encodeURIComponent(last)}` : ""}`);
        if (!more)
            rows.replaceChildren();
        rows.append(...page.data.map((run) => row(run, onShow)));
        last = page.last_id;
        find("history-more").hidden = !page.has_more;
        notice(find("history-notice"), rows.childElementCount ? "" : "No runs yet.", false);
    } catch (error) {
        notice(find("history-notice"), error.status === 404
            ? "This server keeps no runs." : error.message);
    }
}

// Returns what reads the first page anew.
export function setUpHistory(onShow) {
    const refresh = () => load(false, onShow);
    find("history-refresh").addEventListener("click", refresh);
    find("history-more").addEventListener("click", () => load(true, onShow));
    return refresh;
}
