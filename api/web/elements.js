// Making and finding elements. What programs and servers say becomes text nodes, never HTML.

export const find = (id) => document.getElementById(id);

export function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (value !== undefined && value !== null && value !== false)
            made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
}

// Shows text in a paragraph that is hidden when there is none.
export function notice(paragraph, text, bad = true) {
    paragraph.textContent = text || "";
    paragraph.hidden = !text;
    paragraph.classList.toggle("bad", bad);
}

export function clock(ms) {
    return new Date(ms).toLocaleTimeString([], {hour12: false});
}

export function bytes(count) {
    const units = ["B", "KiB", "MiB", "GiB"];
    let unit = 0;
    for (; count >= 1024 && unit < units.length - 1; unit++)
        count /= 1024;
    return `${unit === 0 || count >= 100 ? Math.round(count) : count.toFixed(1)} ${units[unit]}`;
}

export function milliseconds(ms) {
    if (ms === null || ms === undefined)
        return "–";
    if (ms >= 10000)
        return `${(ms / 1000).toFixed(1)} s`;
    return `${ms >= 100 ? Math.round(ms) : Number(ms.toPrecision(3))} ms`;
}
