"""A linear support vector machine over tf-idf rows, and how it does on rows that it has not seen.

Owns two ways to one solution: for few rows the dual problem, whose cost is the cube of their number, for many
the primal one, whose cost is that of reading them a hundred times. Knows neither documents nor readers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from model.lexical import Floats, Linear

if TYPE_CHECKING:
    from scipy.sparse import csr_array

EXACT = 500
"""Rows up to which every one is left out alone, exactly, in 15 ms; 2,000 would take half a second, 10,000 a
minute and 2 GB. Beyond it rows are left out in `FOLDS` groups, and 10,000 take .4 s."""
FOLDS = 8
"""Groups of rows. On 1,500 and 2,500 labels of two mailing lists and two reviews of papers, the distance of
liked from other rows, when left out, is 2 to 8 % less than if each is left out alone, and the scores
correlate by .997. Mean average precision of 17 readers with 1,200 labels is .8156 instead of .8159."""
TOLERANCE = 1e-7
"""Of the gradient, in parts of the first one, at which the primal problem is solved: scores are then those of
the dual problem to five digits."""
ROUGHLY = 0.1
"""Of the residual with which a row is left out."""
NEWTON_STEPS, STEPS = 50, 200
"""Of either method at most; seven of the one and ten to thirty of the other within each do."""


class LinearSvm:
    """A linear support vector machine with squared hinge loss and class weights, as `LinearSVC`.

    The settings are those with which screening tools rank papers: C = .11, a like weighs 9.8 times.
    """

    C = 0.11
    LIKE_WEIGHT = 9.8

    @classmethod
    def fit(cls, rows: csr_array, wanted: NDArray[np.bool_], importance: Floats) -> Linear:
        """Fits rows (n, d) to `wanted` (n,); `importance` (n,) multiplies each row's loss.

        The intercept is regularised like a weight, as in `LinearSVC`.
        """
        sign = np.where(wanted, 1.0, -1.0)
        penalty = cls.C * np.where(wanted, cls.LIKE_WEIGHT, 1.0) * importance
        return _dual(rows, sign, penalty) if len(sign) <= EXACT else _primal(rows, sign, penalty)


def _dual(rows: csr_array, sign: Floats, penalty: Floats) -> Linear:
    """By the dual problem min 1/2 a'Aa - 1'a with a >= 0 and A = yy' * (rows rows' + 1) + diag(1 / 2C_i).

    It is small and positive definite, so it is solved exactly, by pivoting whole blocks of its active set:
    about five solves of n equations, where coordinate descent takes hundreds of sweeps.
    """
    from scipy.linalg.lapack import dpotrf, dpotri

    gram = np.asarray((rows @ rows.T).toarray(), dtype=np.float64) + 1.0
    matrix = sign[:, None] * gram * sign
    matrix[np.diag_indices_from(matrix)] += 1 / (2 * penalty)
    dual = _solve_nonnegative(matrix)
    coefficients = dual * sign
    intercept = float(coefficients.sum())
    left_out = gram @ coefficients
    active = dual > 0
    inverse, _ = dpotri(dpotrf(matrix[np.ix_(active, active)])[0])  # a third of what inverting takes
    left_out[active] = sign[active] * (1 - dual[active] / np.diag(inverse))
    weights = np.asarray(rows.T @ coefficients, dtype=np.float64)
    return Linear(weights, intercept, left_out - intercept)


def _solve_nonnegative(matrix: Floats) -> Floats:
    """The minimiser of 1/2 a'Ma - 1'a over a >= 0, for a positive definite M.

    Block principal pivoting: flips every variable on the wrong side at once, and, should that not make
    progress three times, only the last such variable, which is known to end.
    """
    from scipy.linalg.lapack import dposv

    free = np.ones(len(matrix), dtype=bool)
    fewest, patience = len(matrix) + 1, 3
    while True:
        solution = np.zeros(len(matrix))
        solution[free] = dposv(matrix[np.ix_(free, free)], np.ones(int(free.sum())))[1]
        gradient = matrix @ solution - 1
        wrong = np.flatnonzero(np.where(free, solution < -1e-12, gradient < -1e-9))
        if not len(wrong):
            return np.maximum(solution, 0)
        if len(wrong) < fewest:
            fewest, patience = len(wrong), 3
        elif patience:
            patience -= 1
        else:
            wrong = wrong[-1:]
        free[wrong] = ~free[wrong]


def _primal(rows: csr_array, sign: Floats, penalty: Floats) -> Linear:
    """By the primal problem min 1/2 w'w + sum_i C_i max(0, 1 - y_i x_i'w)^2, x_i with a last column of ones.

    Newton's method with conjugate gradients (Keerthi & DeCoste 2005, "A modified finite Newton method for
    fast solution of large scale linear SVMs"): the loss is quadratic while the same rows are within the
    margin, so it ends after about seven steps. Each group of rows is then left out by one more such step,
    all groups side by side.
    """
    problem = _Problem.of(rows, sign, 2 * penalty)
    weights = np.zeros(problem.columns.shape[0])
    scores = np.zeros(len(sign))
    loss = problem.loss(weights, scores)
    first = 0.0
    force = pull = np.zeros(len(sign))
    for number in range(NEWTON_STEPS):
        slack = np.maximum(1 - sign * scores, 0)
        force, pull = np.where(slack > 0, problem.cost, 0.0), problem.cost * sign * slack
        gradient = weights - problem.columns @ pull
        length = float(np.sqrt(np.square(gradient).sum()))
        first = length if number == 0 else first
        if length <= TOLERANCE * first:
            break
        # Roughly at first and exactly at the end: the active set changes meanwhile.
        step = problem.solve(force[:, None], -gradient[:, None], min(0.1, (length / first) ** 0.5))[:, 0]
        moved = problem.rows @ step
        while (now := problem.loss(weights + step, scores + moved)) > loss and np.abs(step).max() > 1e-12:
            step, moved = step / 2, moved / 2
        weights, scores, loss = weights + step, scores + moved, now
    left_out = scores + problem.shift_without(_folds(sign), force, pull)
    return Linear(weights[:-1], float(weights[-1]), left_out - weights[-1])


def _folds(sign: Floats) -> NDArray[np.intp]:
    """The group of each row, in which both classes have their shares."""
    folds = np.zeros(len(sign), dtype=np.intp)
    for kind in (1.0, -1.0):
        folds[sign == kind] = np.arange(np.count_nonzero(sign == kind)) % FOLDS
    return folds


@dataclass(frozen=True, slots=True)
class _Problem:
    """The rows of a primal problem. Sums are not left to BLAS, whose threads cost more than such vectors."""

    rows: csr_array
    """(n, d + 1): with a column of ones."""
    columns: csr_array
    """(d + 1, n): their transpose."""
    squares: csr_array
    """(d + 1, n): the squares of its values."""
    sign: Floats
    cost: Floats
    """(n,): 2 C_i."""

    @classmethod
    def of(cls, rows: csr_array, sign: Floats, cost: Floats) -> _Problem:
        from scipy.sparse import csr_array, hstack

        with_ones = csr_array(hstack([rows.astype(np.float64), np.ones((len(sign), 1))], format="csr"))
        columns = csr_array(with_ones.T)
        return cls(with_ones, columns, columns.power(2), sign, cost)

    def loss(self, weights: Floats, scores: Floats) -> float:
        slack = np.maximum(1 - self.sign * scores, 0)
        return float(np.square(weights).sum() + (self.cost * np.square(slack)).sum()) / 2

    def solve(self, force: Floats, target: Floats, tolerance: float) -> Floats:
        """H^-1 target by conjugate gradients, scaled by the diagonal of H = I + sum_i force_i x_i x_i'.

        Args:
            force: (n, m): of m problems side by side.
            target: (d + 1, m).
            tolerance: The length of the residual in parts of that of the target.
        """
        scale = 1 / (1 + self.squares @ force)
        found, residual = np.zeros_like(target), target.copy()
        scaled = scale * residual
        direction, size = scaled, (residual * scaled).sum(axis=0)
        enough = tolerance**2 * np.square(target).sum(axis=0)
        for _ in range(STEPS):
            image = direction + self.columns @ (force * (self.rows @ direction))
            length = size / np.maximum((direction * image).sum(axis=0), 1e-300)
            found = found + length * direction
            residual = residual - length * image
            if (np.square(residual).sum(axis=0) <= enough).all():
                break
            scaled = scale * residual
            before, size = size, (residual * scaled).sum(axis=0)
            direction = scaled + size / np.maximum(before, 1e-300) * direction
        return found

    def shift_without(self, folds: NDArray[np.intp], force: Floats, pull: Floats) -> Floats:
        """How much the score of each row changes by a fit without its group, (n,): one step of Newton's.

        Args:
            folds: (n,): the group of each row.
            force: (n,): as the solution has it.
            pull: (n,): what each row adds to the solution.
        """
        own = folds[:, None] == np.arange(FOLDS)
        target = -(self.columns @ (own * pull[:, None]))
        steps = self.solve(np.where(own, 0.0, force[:, None]), target, ROUGHLY)
        shifts: Floats = (self.rows @ steps)[np.arange(len(folds)), folds]
        return shifts
