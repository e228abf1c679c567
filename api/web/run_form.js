// What the form says, as the body of POST /v1/runs.

import {find} from "./elements.js";

const LIMITS = ["timeout_ms", "cpu_ms", "memory_mb", "output_bytes"];

const FIRST = `import time

for i in range(5):
    print("line", i, flush=True)
    time.sleep(0.2)
`;

export function setUpForm(about) {
    const select = find("language");
    for (const name of about.languages)
        select.add(new Option(name, name));
    if (about.languages.includes("python"))
        select.value = "python";
    if (find("code").value === "")
        find("code").value = FIRST;
    if (about.timeout_ms)
        find("timeout_ms").placeholder = about.timeout_ms;
    if (about.memory_mb)
        find("memory_mb").placeholder = about.memory_mb;
}

export function readForm() {
    const body = {language: find("language").value, code: find("code").value, wait: false};
    const args = find("args").value;
    const limits = {};
    if (find("stdin").value)
        body.stdin = find("stdin").value;
    if (args)
        body.args = args.replace(/\n$/, "").split("\n");
    for (const name of LIMITS) {
        if (find(name).value)
            limits[name] = Number(find(name).value);
    }
    if (Object.keys(limits).length > 0)
        body.limits = limits;
    return body;
}
