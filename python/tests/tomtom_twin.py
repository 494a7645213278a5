"""Slow twin of Tomtom: written from the definitions, pair by pair and word by word. Used by test_comparison.py."""

import math

import numpy as np

LEVELS = 100


def column_score(q, t, sites_q, sites_t, background, distance):
    """Score of two columns of probabilities (4,)."""
    if distance == "pearson":
        a, b = q - 0.25, t - 0.25
        norm = math.sqrt((a * a).sum() * (b * b).sum())
        return (a * b).sum() / norm if norm > 0 else 0.0
    if distance == "ed":
        return -math.sqrt(((q - t) ** 2).sum())
    if distance == "sandelin":
        return 2 - ((q - t) ** 2).sum()
    if distance == "kullback":
        return -sum(a * math.log10(a / b) + b * math.log10(b / a) for a, b in zip(q, t, strict=True)) / 2
    if distance == "allr":
        log_q, log_t = np.log(q / background), np.log(t / background)
        mass = sites_q * q.sum() + sites_t * t.sum()
        return (sites_t * (t * log_q).sum() + sites_q * (q * log_t).sum()) / mass
    components = [(1, 1, 1, 1)]
    if distance == "blic5":
        components = [(5, 1, 1, 1), (1, 5, 1, 1), (1, 1, 5, 1), (1, 1, 1, 5), (2, 2, 2, 2)]
    n, m = q * sites_q, t * sites_t
    first = 2 * ((n + m) * np.log(source(n + m, components))).sum()
    second = (n * np.log(source(n, components))).sum() + (m * np.log(source(m, components))).sum()
    return first - second - ((n + m) * np.log(background)).sum()


def source(counts, components):
    """Posterior mean of the letter frequencies under a mixture of Dirichlet priors."""
    logs = []
    for h in components:
        value = math.lgamma(sum(h)) - math.lgamma(counts.sum() + sum(h))
        value += sum(math.lgamma(a + c) - math.lgamma(a) for a, c in zip(h, counts, strict=True))
        logs.append(value)
    weights = np.exp(np.array(logs) - max(logs))
    weights /= weights.sum()
    return sum(w * (counts + h) / (counts.sum() + sum(h)) for w, h in zip(weights, components, strict=True))


def steps_of(scores, complete):
    """Scores (K, columns) as whole steps, and the steps that the score 0 has."""
    if complete:
        n = scores.shape[1]
        first = max(n // 2 - 1, 0)
        second = max((n + 1) // 2 - 1, first)
        ranked = np.sort(scores, axis=1)
        scores = scores - ((ranked[:, first] + ranked[:, second]) / 2)[:, None]
    low, high = scores.min(), scores.max()
    if low == high:
        low = high - 1
    scale = math.floor(LEVELS / (high - math.floor(low)))
    offset = math.floor(low)
    if scale < 1:
        step = (high - low) / (LEVELS - 1)
        offset, scale = math.floor(low / step) * step, 1 / step
    zero = round(-offset * scale) if complete else 0
    return np.floor((scores - offset) * scale + 0.5).astype(int), zero


def alignments(width_q, width_t, min_overlap):
    """(offset, first query column, first target column, overlap) of all alignments wide enough."""
    least = min(min_overlap, width_q, width_t)
    for offset in range(1 - width_q, width_t):
        first_q, first_t = max(-offset, 0), max(offset, 0)
        overlap = min(width_q - first_q, width_t - first_t)
        if overlap >= least:
            yield offset, first_q, first_t, overlap


def tail(steps, first, count, threshold):
    """P(sum >= threshold) of query columns first ... first + count - 1, each against a random target column."""
    distribution = np.ones(1)
    for row in steps[first : first + count]:
        distribution = np.convolve(distribution, np.bincount(row, minlength=LEVELS + 1) / len(row))
    return distribution[max(threshold, 0) :].sum()


def compare(query, targets, sites_q, sites_t, background, distance, complete, min_overlap, both):
    """(p-value, offset, overlap, orientation) of the query with every target; matrices after the pseudocount."""
    oriented = [(t, s) for t, s in zip(targets, sites_t, strict=True)]
    if both:
        oriented = [(m, s) for t, s in zip(targets, sites_t, strict=True) for m in (t, t[::-1, ::-1])]
    columns = [(column, s) for matrix, s in oriented for column in matrix]
    scores = np.array([[column_score(q, t, sites_q, s, background, distance) for t, s in columns] for q in query])
    steps, zero = steps_of(scores, complete)
    copies = 2 if both else 1
    found, start = [], 0
    for matrix, _ in oriented:
        block = steps[:, start : start + len(matrix)]
        start += len(matrix)
        best = None
        for offset, i, j, overlap in alignments(len(query), len(matrix), min_overlap):
            score = sum(block[i + k, j + k] for k in range(overlap))
            value = -(score - overlap * zero) if complete else tail(steps, i, overlap, score)
            if best is None or (value, -overlap) < best[:2]:
                best = (value, -overlap, offset)
        if complete:
            none = 1.0
            for _, i, _, overlap in alignments(len(query), len(matrix), 1):
                none *= (1 - tail(steps, i, overlap, -best[0] + overlap * zero)) ** copies
        else:
            none = (1 - best[0]) ** (copies * len(list(alignments(len(query), len(matrix), min_overlap))))
        found.append((1 - none, best[2], -best[1]))
    if not both:
        return [(*f, "+") for f in found]
    pairs = zip(found[::2], found[1::2], strict=True)
    return [(*b, "-") if (np.float32(b[0]), -b[2]) < (np.float32(a[0]), -a[2]) else (*a, "+") for a, b in pairs]
