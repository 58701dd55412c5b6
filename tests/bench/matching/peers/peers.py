"""One solver of PyPI on one instance: peers.py SOLVER INSTANCE ANSWER.

The formats of both files stand in instance.rs, that of the printed line in measure.rs. How an instance is put depends on
what a solver takes:

- a flow has executives, mentors and a sink; an arc of the penalty goes from each executive straight to the sink;
- a rectangular matrix has a column per place, and one column of the penalty per executive;
- a dense matrix has a column per place, and the penalty wherever there is no pair;
- a square sparse matrix is the rectangular one and its mirror image: beside every row and column stands its twin, the
  pairs of the twins cost nothing, nor does a place with its twin.

Where everybody can be covered, nothing is added for the penalty; where every place is needed too, there are no twins.
"""

import importlib
import itertools
import sys
import time

import numpy as np

CHUNK = 1 << 20
# As in measure.rs.
REPEAT_SECONDS = 0.1


class Instance:
    def __init__(self, path):
        with open(path, "rb") as file:
            if file.read(8) != b"UPDRAFT1":
                sys.exit("not an instance")
            self.n, self.m = np.fromfile(file, "<u4", 2).tolist()
            (pairs,) = np.fromfile(file, "<u8", 1).tolist()
            self.penalty, coverable = np.fromfile(file, "<u4", 2).tolist()
            self.coverable = coverable == 1
            self.capacities = np.fromfile(file, "<u4", self.m).astype(np.int32)
            self.starts = np.fromfile(file, "<u8", self.n + 1).astype(np.int64)
            self.mentors = np.fromfile(file, "<u4", pairs).astype(np.int32)
            self.costs = np.fromfile(file, "<u2", pairs)

    def owners(self):
        """The mentor of each place."""
        return np.repeat(np.arange(self.m, dtype=np.int32), self.capacities)

    def by_place(self):
        """The pairs with places instead of mentors: starts, columns, costs."""
        if (self.capacities == 1).all():
            return self.starts, self.mentors, self.costs
        first = np.cumsum(self.capacities) - self.capacities
        copies = self.capacities[self.mentors]
        ends = np.concatenate([[0], np.cumsum(copies, dtype=np.int64)])
        columns = np.repeat(first[self.mentors] - ends[:-1], copies) + np.arange(ends[-1])
        return ends[self.starts], columns.astype(np.int32), np.repeat(self.costs, copies)


def put_flow(library, instance):
    n, m = instance.n, instance.m
    graph = library.SimpleMinCostFlow()

    def add(tails, heads, capacities, costs):
        tails, heads = np.asarray(tails, np.int32), np.asarray(heads, np.int32)
        capacities, costs = np.asarray(capacities, np.int64), np.asarray(costs, np.int64)
        graph.add_arcs_with_capacity_and_unit_cost(tails, heads, capacities, costs)

    for part, rows in in_parts(instance.starts):
        add(rows, instance.mentors[part] + n, np.ones(len(rows)), instance.costs[part])
    if not instance.coverable:
        add(np.arange(n), np.full(n, n + m), np.ones(n), np.full(n, instance.penalty))
    add(n + np.arange(m), np.full(m, n + m), instance.capacities, np.zeros(m))
    supplies = np.append(np.ones(n, np.int64), -n)
    graph.set_nodes_supplies(np.append(np.arange(n), n + m).astype(np.int32), supplies)

    def solve():
        if graph.solve() != graph.OPTIMAL:
            sys.exit("no optimal flow")

    def answer(instance):
        mentors = np.full(instance.n, -1)
        for part, rows in in_parts(instance.starts):
            chosen = graph.flows(np.arange(part.start, part.start + len(rows), dtype=np.int32)) > 0
            mentors[rows[chosen]] = instance.mentors[part][chosen]
        return mentors

    return solve, answer


def in_parts(starts):
    """Pieces of a sparse matrix that are small enough to be copied: the range of entries, and their rows."""
    for at in range(0, starts[-1], CHUNK):
        part = slice(at, min(at + CHUNK, starts[-1]))
        yield part, np.searchsorted(starts, np.arange(part.start, part.stop), side="right") - 1


def rectangle(instance):
    starts, columns, costs = instance.by_place()
    if instance.coverable:
        return starts, columns, costs
    own = instance.capacities.sum() + np.arange(instance.n, dtype=np.int32)
    columns = np.insert(columns, starts[1:], own)
    costs = np.insert(costs.astype(np.int32), starts[1:], instance.penalty)
    return starts + np.arange(instance.n + 1), columns, costs


def square(instance):
    starts, columns, costs = rectangle(instance)
    n, places = instance.n, int(instance.capacities.sum())
    if instance.coverable and n == places:
        return starts, columns, costs
    pairs = np.flatnonzero(columns < places)
    pairs = pairs[np.argsort(columns[pairs], kind="stable")]
    twins = np.searchsorted(starts, pairs, side="right").astype(np.int32) + np.int32(places - 1)
    ends = np.cumsum(np.bincount(columns[pairs], minlength=places))
    twins = np.insert(twins, np.concatenate([[0], ends[:-1]]), np.arange(places, dtype=np.int32))
    starts = np.concatenate([starts, starts[-1] + ends + 1 + np.arange(places)])
    return starts, np.concatenate([columns, twins]), np.concatenate([costs, np.zeros(len(twins), costs.dtype)])


def put_assignment(library, instance):
    starts, columns, costs = square(instance)
    solver = library.SimpleLinearSumAssignment()
    for part, rows in in_parts(starts):
        solver.add_arcs_with_cost(rows.astype(np.int32), columns[part], costs[part].astype(np.int64))

    def solve():
        if solver.solve() != solver.OPTIMAL:
            sys.exit("no optimal assignment")

    return solve, lambda instance: owners_of([solver.right_mate(row) for row in range(instance.n)], instance)


def put_lapmod(library, instance):
    starts, columns, costs = square(instance)
    arguments = len(starts) - 1, costs.astype(np.float64), starts.astype(np.int32), columns
    found = []

    def solve():
        found[:] = [library.lapmod(*arguments, return_cost=False)[0]]

    return solve, lambda instance: owners_of(found[0][: instance.n], instance)


def put_sparse(library, instance):
    starts, columns, costs = rectangle(instance)
    shape = instance.n, instance.capacities.sum() + (0 if instance.coverable else instance.n)
    parts = costs.astype(np.float64), columns, starts.astype(np.int32)
    matrix = importlib.import_module("scipy.sparse").csr_matrix(parts, shape=shape)
    found = []

    def solve():
        found[:] = [library.min_weight_full_bipartite_matching(matrix)[1]]

    return solve, lambda instance: owners_of(found[0], instance)


def put_dense(library, instance):
    matrix, answer = dense_matrix(instance)
    found = []

    def solve():
        found[:] = [library.linear_sum_assignment(matrix)[1]]

    return solve, lambda instance: answer(found[0], instance)


def put_lapjv(library, instance):
    matrix, answer = dense_matrix(instance)
    found = []

    def solve():
        found[:] = [library.lapjv(matrix, extend_cost=True, return_cost=False)[0]]

    return solve, lambda instance: answer(found[0], instance)


def dense_matrix(instance):
    """The matrix, with at least as many columns as rows; and how its columns become an answer."""
    starts, columns, costs = instance.by_place()
    matrix = np.full((instance.n, max(instance.capacities.sum(), instance.n)), float(instance.penalty))
    for row in range(instance.n):
        pairs = slice(starts[row], starts[row + 1])
        matrix[row, columns[pairs]] = costs[pairs]

    def answer(taken, instance):
        paid = matrix[np.arange(instance.n), taken]
        return owners_of(np.where(paid == instance.penalty, matrix.shape[1], taken), instance)

    return matrix, answer


def owners_of(places, instance):
    """The mentors of the places; −1 beyond the last place."""
    owners = instance.owners()
    return np.append(owners, -1)[np.minimum(places, len(owners))]


SOLVERS = {
    "flow": ("ortools.graph.python.min_cost_flow", put_flow),
    "assignment": ("ortools.graph.python.linear_sum_assignment", put_assignment),
    "lapmod": ("lap", put_lapmod),
    "sparse": ("scipy.sparse.csgraph", put_sparse),
    "dense": ("scipy.optimize", put_dense),
    "lapjv": ("lap", put_lapjv),
}


def memory_kb(field):
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field))


def repeated(solve):
    """The mean of the processor seconds, over as many times as it takes to measure them."""
    begun = time.process_time()
    for times in itertools.count(1):
        solve()
        spent = time.process_time() - begun
        if spent >= REPEAT_SECONDS:
            return spent / times


def main():
    name, path, to = sys.argv[1:]
    library, put = SOLVERS[name]
    library = importlib.import_module(library)
    bare_kb = memory_kb("VmRSS:")
    times = [time.process_time()]
    instance = Instance(path)
    times.append(time.process_time())
    solve, answer = put(library, instance)
    del instance
    times.append(time.process_time())
    solved = repeated(solve)
    memory = memory_kb("VmHWM:") - bare_kb
    answer(Instance(path)).astype("<i4").tofile(to)
    load, build = np.diff(times)
    print(f"load_s={load:.9f} build_s={build:.9f} solve_s={solved:.9f} memory_kb={memory}")


main()
