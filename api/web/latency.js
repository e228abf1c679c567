// Quantiles of what happened lately, out of histograms that count since the server began.

const WINDOW_MS = 60000;

export class Recent {
    constructor() {
        this.samples = []; // of the window, and one before it
    }

    add(now, latency) {
        this.samples.push({now, latency});
        while (this.samples.length > 2 && this.samples[1].now < now - WINDOW_MS)
            this.samples.shift();
    }

    // Observations of each bucket since the first sample; all there are while nothing came since.
    counts(name) {
        const first = this.samples[0].latency[name], last = this.samples.at(-1).latency[name];
        const since = last.map((count, i) => count - first[i]);
        const any = since.some((count) => count > 0) && since.every((count) => count >= 0);
        return any ? since : last;
    }

    // Milliseconds, linear within the bucket; null: nothing was observed.
    quantile(name, part) {
        const bounds = this.samples.at(-1).latency.bounds_ms;
        const counts = this.counts(name);
        const total = counts.reduce((sum, count) => sum + count, 0);
        let left = total * part;
        if (total === 0)
            return null;
        for (let i = 0; i < counts.length; i++) {
            if (counts[i] >= left && counts[i] > 0) {
                const low = i > 0 ? bounds[i - 1] : 0;
                const high = i < bounds.length ? bounds[i] : low;
                return low + (high - low) * (left / counts[i]);
            }
            left -= counts[i];
        }
        return bounds.at(-1);
    }
}
