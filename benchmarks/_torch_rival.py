"""The two networks of `seedo.learning`, and their training, written again as one would in PyTorch.

Batched modules, `nn.Linear`, `nn.RMSNorm`, fused attention; weights are copied from ours, so that
both sides can be checked to compute the same function.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

EXPLOIT = 2


class GatedMLP(nn.Module):
    def __init__(self, size: int, hidden: int) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(size, 2 * hidden), nn.Linear(hidden, size)

    def forward(self, x):
        value, gate = self.up(x).chunk(2, dim=-1)
        return self.down(value * F.silu(gate))


class Layer(nn.Module):
    def __init__(self, size: int, channels: int) -> None:
        super().__init__()
        self.norm, self.norm_mlp = nn.RMSNorm(size, eps=1e-6), nn.RMSNorm(size, eps=1e-6)
        self.sides = nn.Linear(size, 6 * channels)
        self.joint = nn.RMSNorm(3 * channels, eps=1e-6)
        self.out = nn.Linear(3 * channels, size)
        self.into, self.out_of = nn.Linear(size, size), nn.Linear(size, size)
        self.mlp = GatedMLP(size, 2 * size)

    def forward(self, e, keep, count):
        h = self.norm(e) * keep
        left, right = (self.sides(h) * keep).chunk(2, dim=-1)
        a1, a2, a3 = left.chunk(3, dim=-1)
        b1, b2, b3 = right.chunk(3, dim=-1)
        path = torch.einsum("bikc,bkjc->bijc", a1, b1)
        cause = torch.einsum("bkic,bkjc->bijc", a2, b2)
        effect = torch.einsum("bikc,bjkc->bijc", a3, b3)
        into, out_of = self.into(h.sum(1) / count), self.out_of(h.sum(2) / count)
        triangles = self.joint(torch.cat([path, cause, effect], -1))
        e = e + self.out(triangles) + into[:, None] + out_of[:, :, None]
        return e + self.mlp(self.norm_mlp(e))


class Equivariant(nn.Module):
    def __init__(self, do_values, size: int, channels: int, layers: int, learnt: int) -> None:
        super().__init__()
        self.row_hidden, self.row_out = nn.Linear(8, 2 * learnt), nn.Linear(2 * learnt, learnt)
        self.embed = nn.Linear(2 * (10 + learnt) + 7, size)
        self.layers = nn.ModuleList(Layer(size, channels) for _ in range(layers))
        self.norm = nn.RMSNorm(size, eps=1e-6)
        self.explore, self.explore_out = nn.Linear(size + 3, size), nn.Linear(size, 3)
        self.exploit, self.exploit_out = nn.Linear(3 * size, size), nn.Linear(size, 3)
        self.edge = nn.Linear(size, 1)
        v = torch.tensor(do_values) / max(abs(v) for v in do_values)
        self.register_buffer("basis", torch.stack([torch.ones_like(v), v, v**2]))

    def rows(self, target, outcome):
        """Statistics of every row, [B, S, n, n, F], and which variable was set, [B, S, n]."""
        n = outcome.shape[-1]
        known = torch.isfinite(outcome)
        x = torch.where(known, outcome, 0.0)
        is_set = torch.arange(n) == target[..., None]
        cause, effect = x[..., :, None], x[..., None, :]
        free = ((known & ~is_set)[..., None, :] & known[..., :, None]).float()
        hand = free * is_set[..., :, None]
        zero = torch.zeros_like(free)
        moments = torch.stack(
            [
                free * cause**2, free * cause * effect, free * effect**2, free,
                hand * cause * effect, hand * cause**2, hand * effect**2, hand,
            ],
            dim=-1,
        )  # fmt: skip
        c, e = torch.asinh(cause) + zero, torch.asinh(effect) + zero
        signals = torch.stack(
            [c, e, c * e, c.abs() * e, c * e.abs(), e**2,
             is_set[..., :, None] + zero, is_set[..., None, :] + zero],
            dim=-1,
        )  # fmt: skip
        learnt = self.row_out(F.silu(self.row_hidden(signals)))
        both = (known[..., :, None] & known[..., None, :])[..., None]
        return torch.cat([moments, learnt * both], -1), is_set.float()

    def summaries(self, sums, rows):
        xx, xy, yy, count, dxy, dxx, dyy, dcount = sums[..., :8].unbind(-1)
        slope, set_slope = xy / (1 + xx), dxy / (1 + dxx)
        readings = [
            torch.asinh(slope), torch.asinh(set_slope),
            xy / torch.sqrt((1 + xx) * (1 + yy)), dxy / torch.sqrt((1 + dxx) * (1 + dyy)),
            torch.asinh(0.5 * xy * slope),
            *(torch.log1p(m) for m in (xx, yy, dyy, count, dcount)),
        ]  # fmt: skip
        return torch.cat([torch.stack(readings, -1), sums[..., 8:] / (1 + rows)], -1)

    def forward(self, phase, goal, target, value, outcome, relevant, steps):
        b, n, k = len(outcome), outcome.shape[-1], len(steps)
        pairs, tried = self.rows(target, outcome)

        def before(column):
            sums = column[:, :-1].cumsum(1)
            return torch.cat([torch.zeros_like(column[:, :1]), sums], 1)[:, steps]

        seen = steps.float().expand(b, k).reshape(-1)
        pairs = before(pairs).reshape(b * k, n, n, -1)
        tried = before(tried).reshape(b * k, n)
        phase, goal = phase[:, steps].reshape(-1), goal[:, steps].reshape(-1)
        relevant = relevant[:, None].expand(b, k, n).reshape(-1, n)

        summaries = self.summaries(pairs, seen[:, None, None, None])
        counts = torch.log1p(seen)[:, None].expand(-1, n)
        node = torch.stack([torch.log1p(tried), relevant.float(), counts], -1)
        grid = torch.cat(
            [
                summaries,
                summaries.transpose(1, 2),
                node[:, :, None].expand(-1, n, n, 3),
                node[:, None].expand(-1, n, n, 3),
                torch.eye(n)[None, ..., None].expand(b * k, n, n, 1),
            ],
            -1,
        )
        keep = (relevant[:, :, None] & relevant[:, None])[..., None].float()
        count = relevant.sum(-1).clamp(min=1).float()[:, None, None]
        e = self.embed(grid)
        for layer in self.layers:
            e = layer(e, keep, count)
        e = self.norm(e)
        own = torch.diagonal(e, dim1=1, dim2=2).transpose(1, 2)
        at = goal.clamp(min=0)
        rows = torch.arange(b * k)
        explore = self.explore_out(F.silu(self.explore(torch.cat([own, node], -1))))
        pair = torch.cat([e[rows, :, at], e[rows, at], own], -1)
        exploit = self.exploit_out(F.silu(self.exploit(pair)))
        exploiting = (phase == EXPLOIT)[:, None]
        logits = torch.where(exploiting[..., None], exploit, explore) @ self.basis
        closed = exploiting & (torch.arange(n) == goal[:, None])
        logits = logits.masked_fill(closed[..., None], -torch.inf)
        edges = self.edge(e)[..., 0]
        return logits.reshape(b, k, -1).log_softmax(-1), edges.reshape(b, k, n, n)


class Block(nn.Module):
    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm, self.norm_mlp = nn.RMSNorm(size, eps=1e-6), nn.RMSNorm(size, eps=1e-6)
        self.qkv, self.out = nn.Linear(size, 3 * size, bias=False), nn.Linear(size, size)
        self.mlp = GatedMLP(size, 2 * size)

    def forward(self, x):
        b, s, d = x.shape
        q, k, v = self.qkv(self.norm(x)).view(b, s, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(b, s, d))
        return x + self.mlp(self.norm_mlp(x))


class Plain(nn.Module):
    def __init__(self, do_values, n, most_steps, size, heads, layers) -> None:
        super().__init__()
        self.n = n
        self.embed = nn.Linear(6 * n + 3, size)
        self.position = nn.Parameter(torch.zeros(most_steps, size))
        self.blocks = nn.ModuleList(Block(size, heads) for _ in range(layers))
        self.norm = nn.RMSNorm(size, eps=1e-6)
        self.head, self.edge = nn.Linear(size, n * len(do_values)), nn.Linear(size, n * n)

    def forward(self, phase, goal, target, value, outcome, relevant, steps):
        n, (b, s) = self.n, phase.shape

        def previous(column, fill):
            return torch.cat([torch.full_like(column[:, :1], fill), column[:, :-1]], 1)

        row, did, amount = previous(outcome, np.nan), previous(target, -1), previous(value, 0.0)
        seen = (torch.arange(s) > 0)[None, :, None]
        known = torch.isfinite(row) & seen
        variables = torch.arange(n)
        is_set = ((variables == did[..., None]) & seen).float()
        exploiting = phase == EXPLOIT
        tokens = [
            torch.asinh(torch.where(known, row, 0.0)), known.float(), is_set,
            is_set * amount[..., None], (variables == goal[..., None]).float(),
            relevant[:, None].expand(b, s, n).float(),
            (torch.arange(3) == phase[..., None]).float(),
        ]  # fmt: skip
        x = self.embed(torch.cat(tokens, -1)) + self.position[:s]
        for block in self.blocks:
            x = block(x)
        h = self.norm(x[:, steps])
        closed = (exploiting[..., None] & (variables == goal[..., None]))[:, steps]
        logits = self.head(h).unflatten(-1, (n, -1)).masked_fill(closed[..., None], -torch.inf)
        return logits.flatten(-2).log_softmax(-1), self.edge(h).unflatten(-1, (n, n))


def copy_of(network, architecture) -> nn.Module:
    """The PyTorch twin of one of our networks, weights included."""
    if architecture.kind == "equivariant":
        twin: nn.Module = Equivariant(architecture.do_values, **architecture.widths)
    else:
        twin = Plain(
            architecture.do_values, architecture.n, architecture.most_steps, **architecture.widths
        )
    state = {}
    for name, parameter in twin.state_dict().items():
        if name == "basis":
            continue
        *path, leaf = name.split(".")
        owner = network
        for part in path:
            owner = owner[int(part)] if part.isdigit() else getattr(owner, part)
        if type(owner).__name__ == "Norm":
            leaf = "scale"
        ours = np.array(getattr(owner, leaf))
        ours = ours.T if type(owner).__name__ == "Linear" and leaf == "weight" else ours
        assert ours.shape == tuple(parameter.shape), name
        state[name] = torch.from_numpy(np.ascontiguousarray(ours))
    twin.load_state_dict(state, strict=False)
    return twin


def losses(log_probs, action, explore, exploit):
    """The imitation losses of `seedo.learning`, explanations aside."""
    chosen = log_probs.gather(-1, action[..., None])[..., 0]
    nll = -torch.where(torch.isfinite(chosen), chosen, 0.0)
    return (nll * explore).sum(), (nll * exploit).sum()


def trainer(
    network, architecture, lessons, rate: float, weight_decay: float, explore_weight: float,
    compiled: bool,
) -> Callable[[int], np.ndarray]:  # fmt: skip
    """(steps) -> the losses of the last of so many steps; `lessons` are taken in turns."""
    network = copy_of(network, architecture)
    adam = torch.optim.AdamW(
        network.parameters(), rate, betas=(0.9, 0.98), weight_decay=weight_decay
    )
    forward = torch.compile(network) if compiled else network
    tensors = [
        (
            [torch.from_numpy(np.array(column)) for column in todo.inputs],
            torch.from_numpy(todo.steps.astype(np.int64)),
            torch.from_numpy(todo.action.astype(np.int64)),
            torch.from_numpy(todo.explore),
            torch.from_numpy(todo.exploit),
        )
        for todo in lessons
    ]

    def run(steps: int) -> np.ndarray:
        for i in range(steps):
            inputs, at, action, explore, exploit = tensors[i % len(tensors)]
            log_probs, _ = forward(*inputs, at)
            first, second = losses(log_probs, action, explore, exploit)
            adam.zero_grad()
            (explore_weight * first + second).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            adam.step()
        return np.array([first.item(), second.item()])

    return run
