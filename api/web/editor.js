// A text area with line numbers, which indents. Changes go through the browser, so that it can undo.

const INDENT = "    ";

function insert(area, text) {
    if (!document.execCommand("insertText", false, text))
        area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
}

function lineStart(area) {
    return area.value.lastIndexOf("\n", area.selectionStart - 1) + 1;
}

function replaceLines(area, change) {
    const start = lineStart(area);
    const end = area.selectionEnd;
    const lines = area.value.slice(start, end).split("\n");
    area.setSelectionRange(start, end);
    insert(area, lines.map(change).join("\n"));
    area.setSelectionRange(start, area.selectionStart);
}

function indent(area, back) {
    if (back)
        replaceLines(area, (line) => line.replace(/^ {1,4}/, ""));
    else if (area.value.slice(area.selectionStart, area.selectionEnd).includes("\n"))
        replaceLines(area, (line) => INDENT + line);
    else
        insert(area, INDENT);
}

// The new line stands below the old one, further in behind a colon.
function breakLine(area) {
    const line = area.value.slice(lineStart(area), area.selectionStart);
    insert(area, "\n" + /^ */.exec(line)[0] + (/:\s*$/.test(line) ? INDENT : ""));
}

export function setUpEditor(area, gutter) {
    let leaving = false; // Tab goes to the next element, once
    let shown = 1;

    const count = () => {
        const lines = area.value.split("\n").length;
        if (lines !== shown)
            gutter.textContent = Array.from({length: lines}, (_, i) => i + 1).join("\n");
        shown = lines;
        gutter.scrollTop = area.scrollTop;
    };
    area.addEventListener("input", count);
    area.addEventListener("scroll", () => { gutter.scrollTop = area.scrollTop; });
    area.addEventListener("blur", () => { leaving = false; });
    area.addEventListener("keydown", (event) => {
        if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey)
            return;
        if (event.key === "Escape") {
            leaving = true;
        } else if (event.key === "Tab" && !leaving) {
            event.preventDefault();
            indent(area, event.shiftKey);
        } else if (event.key === "Enter") {
            event.preventDefault();
            breakLine(area);
        } else if (event.key !== "Tab" && event.key !== "Shift") {
            leaving = false;
        }
    });
    new ResizeObserver(() => { gutter.style.height = `${area.offsetHeight}px`; }).observe(area);
    count();
}
