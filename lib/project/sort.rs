//! CPython's list.sort (spec: keys 3.3). BuildStream sorts dependencies with a comparison that is no order, so
//! that the result depends on which items are compared, and when: the algorithm is part of the format.

/// Sorts like `list.sort` of CPython, which asks only whether one item is less than another.
pub fn sort<T: Copy>(items: &mut [T], less: &mut dyn FnMut(T, T) -> bool) {
    let total = items.len();
    if total < 2 {
        return;
    }
    let mut sorter = Sorter { items, less, min_gallop: MIN_GALLOP, runs: Vec::new() };
    let min_run = min_run(total);
    let mut start = 0;
    while start < total {
        let mut length = sorter.count_run(start);
        if length < min_run {
            let forced = min_run.min(total - start);
            sorter.binary_insertion(start, start + length, start + forced);
            length = forced;
        }
        sorter.found(start, length, total);
        start += length;
    }
    sorter.collapse();
}

/// How often one side must win in a row before the other is searched by halves.
const MIN_GALLOP: usize = 7;

fn min_run(mut n: usize) -> usize {
    let mut odd = 0;
    while n >= 64 {
        odd |= n & 1;
        n >>= 1;
    }
    n + odd
}

/// A sorted stretch. `power`: how deep the boundary behind it lies in the tree of merges.
struct Run {
    start: usize,
    length: usize,
    power: u32,
}

struct Sorter<'a, T> {
    items: &'a mut [T],
    less: &'a mut dyn FnMut(T, T) -> bool,
    min_gallop: usize,
    runs: Vec<Run>,
}

impl<T: Copy> Sorter<'_, T> {
    fn less(&mut self, a: T, b: T) -> bool {
        (self.less)(a, b)
    }

    /// The length of the run at `start`; a descending one is turned around.
    fn count_run(&mut self, start: usize) -> usize {
        let total = self.items.len();
        if start + 1 == total {
            return 1;
        }
        let mut end = start + 2;
        if self.less(self.items[start + 1], self.items[start]) {
            while end < total && self.less(self.items[end], self.items[end - 1]) {
                end += 1;
            }
            self.items[start..end].reverse();
        } else {
            while end < total && !self.less(self.items[end], self.items[end - 1]) {
                end += 1;
            }
        }
        end - start
    }

    fn binary_insertion(&mut self, low: usize, mut start: usize, high: usize) {
        if start == low {
            start += 1;
        }
        for position in start..high {
            let pivot = self.items[position];
            let (mut left, mut right) = (low, position);
            while left < right {
                let middle = left + ((right - left) >> 1);
                if self.less(pivot, self.items[middle]) {
                    right = middle;
                } else {
                    left = middle + 1;
                }
            }
            self.items.copy_within(left..position, left + 1);
            self.items[left] = pivot;
        }
    }

    /// Takes a new run, after merging runs that lie deeper than the boundary before it.
    fn found(&mut self, start: usize, length: usize, total: usize) {
        if let Some(top) = self.runs.last() {
            let power = power(top.start, top.length, length, total);
            while self.runs.len() > 1 && self.runs[self.runs.len() - 2].power > power {
                self.merge_at(self.runs.len() - 2);
            }
            if let Some(top) = self.runs.last_mut() {
                top.power = power;
            }
        }
        self.runs.push(Run { start, length, power: 0 });
    }

    /// Merges what is left.
    fn collapse(&mut self) {
        while self.runs.len() > 1 {
            let mut at = self.runs.len() - 2;
            if at > 0 && self.runs[at - 1].length < self.runs[at + 1].length {
                at -= 1;
            }
            self.merge_at(at);
        }
    }

    /// Merges a run with the one behind it.
    fn merge_at(&mut self, at: usize) {
        let second = self.runs.remove(at + 1);
        let (mut start_a, mut length_a) = (self.runs[at].start, self.runs[at].length);
        let (start_b, mut length_b) = (second.start, second.length);
        self.runs[at].length += length_b;

        let first_of_b = self.items[start_b];
        let skip = self.gallop_right(first_of_b, Slice::Items(start_a, length_a), 0);
        start_a += skip;
        length_a -= skip;
        if length_a == 0 {
            return;
        }
        let last_of_a = self.items[start_a + length_a - 1];
        length_b = self.gallop_left(last_of_a, Slice::Items(start_b, length_b), length_b - 1);
        if length_b == 0 {
            return;
        }
        if length_a <= length_b {
            self.merge_low(start_a, length_a, start_b, length_b);
        } else {
            self.merge_high(start_a, length_a, start_b, length_b);
        }
    }

    /// Merges from the left; `a`, the shorter run, is copied out.
    fn merge_low(&mut self, start_a: usize, length_a: usize, start_b: usize, length_b: usize) {
        let a: Vec<T> = self.items[start_a..start_a + length_a].to_vec();
        let (mut left_a, mut left_b) = (length_a, length_b);
        let (mut next_a, mut next_b, mut to) = (0, start_b, start_a);

        self.items[to] = self.items[next_b];
        to += 1;
        next_b += 1;
        left_b -= 1;
        'merge: {
            if left_b == 0 || left_a == 1 {
                break 'merge;
            }
            let mut min_gallop = self.min_gallop;
            loop {
                let (mut wins_a, mut wins_b) = (0, 0);
                loop {
                    if self.less(self.items[next_b], a[next_a]) {
                        self.items[to] = self.items[next_b];
                        to += 1;
                        next_b += 1;
                        wins_b += 1;
                        wins_a = 0;
                        left_b -= 1;
                        if left_b == 0 {
                            break 'merge;
                        }
                        if wins_b >= min_gallop {
                            break;
                        }
                    } else {
                        self.items[to] = a[next_a];
                        to += 1;
                        next_a += 1;
                        wins_a += 1;
                        wins_b = 0;
                        left_a -= 1;
                        if left_a == 1 {
                            break 'merge;
                        }
                        if wins_a >= min_gallop {
                            break;
                        }
                    }
                }
                min_gallop += 1;
                loop {
                    min_gallop -= usize::from(min_gallop > 1);
                    self.min_gallop = min_gallop;
                    let wins_a = self.gallop_right(self.items[next_b], Slice::Copied(&a[next_a..next_a + left_a]), 0);
                    if wins_a > 0 {
                        self.items[to..to + wins_a].copy_from_slice(&a[next_a..next_a + wins_a]);
                        to += wins_a;
                        next_a += wins_a;
                        left_a -= wins_a;
                        // A comparison that is no order may leave nothing of it.
                        if left_a <= 1 {
                            break 'merge;
                        }
                    }
                    self.items[to] = self.items[next_b];
                    to += 1;
                    next_b += 1;
                    left_b -= 1;
                    if left_b == 0 {
                        break 'merge;
                    }
                    let wins_b = self.gallop_left(a[next_a], Slice::Items(next_b, left_b), 0);
                    if wins_b > 0 {
                        self.items.copy_within(next_b..next_b + wins_b, to);
                        to += wins_b;
                        next_b += wins_b;
                        left_b -= wins_b;
                        if left_b == 0 {
                            break 'merge;
                        }
                    }
                    self.items[to] = a[next_a];
                    to += 1;
                    next_a += 1;
                    left_a -= 1;
                    if left_a == 1 {
                        break 'merge;
                    }
                    if wins_a < MIN_GALLOP && wins_b < MIN_GALLOP {
                        break;
                    }
                }
                min_gallop += 1;
                self.min_gallop = min_gallop;
            }
        }
        if left_b > 0 && left_a == 1 {
            self.items.copy_within(next_b..next_b + left_b, to);
            self.items[to + left_b] = a[next_a];
        } else {
            self.items[to..to + left_a].copy_from_slice(&a[next_a..next_a + left_a]);
        }
    }

    /// Merges from the right; `b`, the shorter run, is copied out. Positions are one behind what they mean.
    fn merge_high(&mut self, start_a: usize, length_a: usize, start_b: usize, length_b: usize) {
        let b: Vec<T> = self.items[start_b..start_b + length_b].to_vec();
        let (mut left_a, mut left_b) = (length_a, length_b);
        let (mut end_a, mut to) = (start_a + length_a, start_b + length_b);

        to -= 1;
        end_a -= 1;
        self.items[to] = self.items[end_a];
        left_a -= 1;
        'merge: {
            if left_a == 0 || left_b == 1 {
                break 'merge;
            }
            let mut min_gallop = self.min_gallop;
            loop {
                let (mut wins_a, mut wins_b) = (0, 0);
                loop {
                    if self.less(b[left_b - 1], self.items[end_a - 1]) {
                        to -= 1;
                        end_a -= 1;
                        self.items[to] = self.items[end_a];
                        wins_a += 1;
                        wins_b = 0;
                        left_a -= 1;
                        if left_a == 0 {
                            break 'merge;
                        }
                        if wins_a >= min_gallop {
                            break;
                        }
                    } else {
                        to -= 1;
                        self.items[to] = b[left_b - 1];
                        wins_b += 1;
                        wins_a = 0;
                        left_b -= 1;
                        if left_b == 1 {
                            break 'merge;
                        }
                        if wins_b >= min_gallop {
                            break;
                        }
                    }
                }
                min_gallop += 1;
                loop {
                    min_gallop -= usize::from(min_gallop > 1);
                    self.min_gallop = min_gallop;
                    let kept = self.gallop_right(b[left_b - 1], Slice::Items(start_a, left_a), left_a - 1);
                    let wins_a = left_a - kept;
                    if wins_a > 0 {
                        to -= wins_a;
                        end_a -= wins_a;
                        self.items.copy_within(end_a..end_a + wins_a, to);
                        left_a -= wins_a;
                        if left_a == 0 {
                            break 'merge;
                        }
                    }
                    to -= 1;
                    self.items[to] = b[left_b - 1];
                    left_b -= 1;
                    if left_b == 1 {
                        break 'merge;
                    }
                    let kept = self.gallop_left(self.items[end_a - 1], Slice::Copied(&b[..left_b]), left_b - 1);
                    let wins_b = left_b - kept;
                    if wins_b > 0 {
                        to -= wins_b;
                        left_b -= wins_b;
                        self.items[to..to + wins_b].copy_from_slice(&b[left_b..left_b + wins_b]);
                        if left_b <= 1 {
                            break 'merge;
                        }
                    }
                    to -= 1;
                    end_a -= 1;
                    self.items[to] = self.items[end_a];
                    left_a -= 1;
                    if left_a == 0 {
                        break 'merge;
                    }
                    if wins_a < MIN_GALLOP && wins_b < MIN_GALLOP {
                        break;
                    }
                }
                min_gallop += 1;
                self.min_gallop = min_gallop;
            }
        }
        if left_a > 0 && left_b == 1 {
            to -= left_a;
            end_a -= left_a;
            self.items.copy_within(end_a..end_a + left_a, to);
            self.items[to - 1] = b[0];
        } else {
            self.items[to - left_b..to].copy_from_slice(&b[..left_b]);
        }
    }

    /// Where `key` goes, before items that are equal to it; the search starts at `hint`.
    fn gallop_left(&mut self, key: T, slice: Slice<T>, hint: usize) -> usize {
        let length = slice.len();
        let at = |this: &Self, index: usize| slice.get(this, index);
        let (mut last, mut offset) = (0, 1);
        let item = at(self, hint);
        let (mut low, mut high);
        if self.less(item, key) {
            let most = length - hint;
            while offset < most {
                let item = at(self, hint + offset);
                if !self.less(item, key) {
                    break;
                }
                last = offset;
                offset = (offset << 1) + 1;
            }
            (low, high) = (hint + last + 1, hint + offset.min(most));
        } else {
            let most = hint + 1;
            while offset < most {
                let item = at(self, hint - offset);
                if self.less(item, key) {
                    break;
                }
                last = offset;
                offset = (offset << 1) + 1;
            }
            (low, high) = (hint + 1 - offset.min(most), hint - last);
        }
        while low < high {
            let middle = low + ((high - low) >> 1);
            let item = at(self, middle);
            if self.less(item, key) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        high
    }

    /// Where `key` goes, behind items that are equal to it.
    fn gallop_right(&mut self, key: T, slice: Slice<T>, hint: usize) -> usize {
        let length = slice.len();
        let at = |this: &Self, index: usize| slice.get(this, index);
        let (mut last, mut offset) = (0, 1);
        let item = at(self, hint);
        let (mut low, mut high);
        if self.less(key, item) {
            let most = hint + 1;
            while offset < most {
                let item = at(self, hint - offset);
                if !self.less(key, item) {
                    break;
                }
                last = offset;
                offset = (offset << 1) + 1;
            }
            (low, high) = (hint + 1 - offset.min(most), hint - last);
        } else {
            let most = length - hint;
            while offset < most {
                let item = at(self, hint + offset);
                if self.less(key, item) {
                    break;
                }
                last = offset;
                offset = (offset << 1) + 1;
            }
            (low, high) = (hint + last + 1, hint + offset.min(most));
        }
        while low < high {
            let middle = low + ((high - low) >> 1);
            let item = at(self, middle);
            if self.less(key, item) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        high
    }
}

/// Where a search looks: a stretch of the items, or what was copied out of them.
#[derive(Clone, Copy)]
enum Slice<'a, T> {
    Items(usize, usize),
    Copied(&'a [T]),
}

impl<T: Copy> Slice<'_, T> {
    fn len(&self) -> usize {
        match self {
            Slice::Items(_, length) => *length,
            Slice::Copied(items) => items.len(),
        }
    }

    fn get(&self, sorter: &Sorter<T>, index: usize) -> T {
        match self {
            Slice::Items(start, _) => sorter.items[start + index],
            Slice::Copied(items) => items[index],
        }
    }
}

/// How many halvings of the whole separate the middle of a run from the middle of the next.
fn power(start: usize, length: usize, next: usize, total: usize) -> u32 {
    let mut result = 0;
    let mut a = 2 * start + length;
    let mut b = a + length + next;
    loop {
        result += 1;
        if a >= total {
            a -= total;
            b -= total;
        } else if b >= total {
            return result;
        }
        a <<= 1;
        b <<= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A generator of numbers that python3 has too: the lists below were sorted there.
    struct Numbers(u64);

    impl Numbers {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            self.0 >> 33
        }
    }

    #[test]
    fn an_order_is_an_order() {
        for length in [0, 1, 2, 3, 63, 64, 65, 200, 1000, 5000] {
            for span in [2, 10, 1_000_000] {
                let mut numbers = Numbers(length as u64 * 31 + span);
                let items: Vec<(u64, usize)> = (0..length).map(|index| (numbers.next() % span, index)).collect();
                let (mut ours, mut expected) = (items.clone(), items);
                sort(&mut ours, &mut |a, b| a.0 < b.0);
                expected.sort_by_key(|item| item.0);
                assert_eq!(ours, expected, "{length} {span}");
            }
        }
    }

    /// What python3 gives for `sorted(range(n), key=cmp_to_key(lambda a, b: ...))` with comparisons that are
    /// no order; made by tests/golden/sort.py.
    #[test]
    fn what_is_no_order_comes_out_as_in_cpython() {
        let expected = include_str!("../../tests/golden/sort.txt");
        let mut cases = 0;
        for line in expected.lines() {
            let mut words = line.split(' ');
            let mut word = || words.next().and_then(|word| word.parse::<u64>().ok()).expect("a number");
            let (length, seed, mode, hash) = (word(), word(), word(), word());
            let mut numbers = Numbers(seed);
            let values: Vec<u64> = (0..length).map(|_| numbers.next() % (length / 2 + 1)).collect();
            let mut items: Vec<usize> = (0..values.len()).collect();
            sort(&mut items, &mut |a, b| less(mode, &values, a, b));
            let found = items.iter().fold(7u64, |hash, &item| hash.wrapping_mul(1_000_003).wrapping_add(item as u64));
            assert_eq!(found, hash, "{line}");
            cases += 1;
        }
        assert!(cases > 100);
    }

    fn less(mode: u64, values: &[u64], a: usize, b: usize) -> bool {
        let mix = ((a as u64 * 2_654_435_761) ^ (b as u64 * 40_503)) >> 3;
        match mode {
            0 => mix.is_multiple_of(2),
            1 => (values[a] + 3) % 17 < values[b] % 17,
            2 => {
                if mix.is_multiple_of(5) {
                    values[a] > values[b]
                } else {
                    values[a] < values[b]
                }
            }
            _ => values[a] / 4 < values[b] / 4 || (values[a].is_multiple_of(4) && values[b].is_multiple_of(7)),
        }
    }
}
