// Server-sent events out of a response's body. EventSource would do the same, but cannot send a key.

function parse(block) {
    const event = {name: "message", id: null, data: ""};
    const data = [];
    for (const line of block.split("\n")) {
        const colon = line.indexOf(":");
        const field = colon < 0 ? line : line.slice(0, colon);
        const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
        if (field === "event")
            event.name = value;
        else if (field === "id")
            event.id = value;
        else if (field === "data")
            data.push(value);
    }
    event.data = data.join("\n");
    return data.length > 0 ? event : null;
}

export async function* readEvents(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    const pieces = []; // of a block that is not yet complete
    try {
        for (;;) {
            const {value, done} = await reader.read();
            if (done)
                return;
            const text = value.replaceAll("\r", "");
            // Of what came before only the last character can be part of a block's end.
            const before = pieces.length > 0 ? pieces.at(-1).slice(-1) : "";
            if (text !== "")
                pieces.push(text);
            if (!(before + text).includes("\n\n"))
                continue;
            const blocks = pieces.join("").split("\n\n");
            pieces.length = 0;
            const rest = blocks.pop();
            if (rest !== "")
                pieces.push(rest);
            for (const block of blocks) {
                const event = parse(block);
                if (event)
                    yield event;
            }
        }
    } finally {
        await reader.cancel().catch(() => {});
    }
}
