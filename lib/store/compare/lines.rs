//! Which items of two lists are the same, in order.

/// An item of one list, or of both.
#[derive(PartialEq, Eq, Debug)]
pub enum Item<'a, T> {
    Both,
    Old(&'a T),
    New(&'a T),
}

/// Longer lists are compared from both ends only: the table would be too large.
const MOST: usize = 2000;

/// The items of both lists, such that as many as possible are in both.
pub fn align<'a, T: PartialEq>(old: &'a [T], new: &'a [T]) -> Vec<Item<'a, T>> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[head..], &new[head..]);
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old_rest[..old_rest.len() - tail], &new_rest[..new_rest.len() - tail]);
    let mut items: Vec<Item<'a, T>> = std::iter::repeat_with(|| Item::Both).take(head).collect();
    if old.len() > MOST || new.len() > MOST {
        items.extend(old.iter().map(Item::Old));
        items.extend(new.iter().map(Item::New));
    } else {
        middle(old, new, &mut items);
    }
    items.extend(std::iter::repeat_with(|| Item::Both).take(tail));
    items
}

fn middle<'a, T: PartialEq>(old: &'a [T], new: &'a [T], items: &mut Vec<Item<'a, T>>) {
    let width = new.len() + 1;
    // The length of the longest common part of what follows each pair of places.
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i * width + j] = if old[i] == new[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            items.push(Item::Both);
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[(i + 1) * width + j] >= common[i * width + j + 1]) {
            items.push(Item::Old(&old[i]));
            i += 1;
        } else {
            items.push(Item::New(&new[j]));
            j += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_common_is_found() {
        let text = |old: &[&str], new: &[&str]| -> String {
            align(old, new)
                .into_iter()
                .map(|item| match item {
                    Item::Both => "=".to_owned(),
                    Item::Old(item) => format!("-{item}"),
                    Item::New(item) => format!("+{item}"),
                })
                .collect()
        };
        assert_eq!(text(&["a", "b", "c"], &["a", "x", "c"]), "=-b+x=");
        assert_eq!(text(&["a", "b", "c", "d"], &["b", "d", "e"]), "-a=-c=+e");
        assert_eq!(text(&[], &["a"]), "+a");
        assert_eq!(text(&["a"], &["a"]), "=");
    }
}
