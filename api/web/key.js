// The API key: typed in, and kept by the browser only for this tab, and only when that is ticked.

import {setKey} from "./api.js";
import {find, notice} from "./elements.js";

const STORED = "retort-key";

// Storage may be switched off.
function stored(change) {
    try {
        return change(sessionStorage);
    } catch {
        return null;
    }
}

export function refused(error) {
    if (error.status !== 401 && error.status !== 403)
        return false;
    const what = find("key-form").hidden ? "Refused" : "The key was refused";
    notice(find("key-notice"), `${what}: ${error.message}`);
    find("key").setAttribute("aria-invalid", "true");
    return true;
}

export function accepted() {
    notice(find("key-notice"), "");
    find("key").removeAttribute("aria-invalid");
}

// onKey is called with a key to try; at once when one is stored, or none is needed.
export function setUpKey(required, onKey) {
    const input = find("key"), keep = find("key-keep");
    find("key-form").hidden = !required;
    if (!required) {
        onKey();
        return;
    }
    find("key-form").addEventListener("submit", (event) => {
        event.preventDefault();
        const key = input.value.trim();
        setKey(key);
        stored((storage) => keep.checked ? storage.setItem(STORED, key) : storage.removeItem(STORED));
        if (key)
            onKey();
    });
    keep.addEventListener("change", () => {
        if (!keep.checked)
            stored((storage) => storage.removeItem(STORED));
    });
    const before = stored((storage) => storage.getItem(STORED));
    if (before) {
        input.value = before;
        keep.checked = true;
        setKey(before);
        onKey();
    } else {
        notice(find("key-notice"), "This server wants an API key: type it above.", false);
        input.focus();
    }
}
