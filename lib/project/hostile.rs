//! Mutated documents through everything that reads projects: whatever comes in, an answer or an error comes
//! out. The same, for hours, is `make fuzz`.

use super::conditional::{self, Options};
use super::expression::{self, Value};
use super::variables::Variables;
use super::{compose, loader, mark::File, yaml};

const SEEDS: [&str; 6] = [
    "kind: manual\nvariables: {a: \"%{b}x\", b: 'y', c: \"%{a}%{a}\"}\nconfig:\n  build-commands:\n  - |\n    make\n  - >-\n    x\n",
    "(?):\n- f and 'x' in e or not (t):\n    a: [b, {(>): [c]}]\n    (!): no\n- e == \"x\" and e not in ('y', \"z\"):\n    d: {(=): []}\n",
    "depends:\n- a.bst\n- {filename: [b.bst, \"c.bst:d.bst\"], type: build, strict: True, config: {location: /x}}\nbuild-depends: []\n",
    "l: {(<): [1, 2], (>): [3], (=): []}\nm: {x: {y: {z: [[a], {b: c}]}}}\n\"q\\n\\u263a\": !!str v\n? k\n: v\n",
    "---\n# comment\na:\nb: ~\nc: [x,\n  y , {z: }]\nd: 'it''s'\n...\n",
    "\u{feff}a: \"\\x41 \\\n  b\"\ne: - x\nf: &anchor y\ng: *anchor\n",
];

/// Pieces that mean something.
const PIECES: [&str; 24] = [
    ":", " ", "\n", "- ", "[", "]", "{", "}", "\"", "'", "|\n", ">\n", "%{", "}", "(?)", "(>)", "(=)", "(!)", "#",
    "\\", "\t", "\u{0}", "\u{2028}", "é",
];

struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) as usize) % end.max(1)
    }
}

fn mutated(numbers: &mut Numbers) -> String {
    let mut text: Vec<char> = SEEDS[numbers.below(SEEDS.len())].chars().collect();
    for _ in 0..=numbers.below(6) {
        let at = numbers.below(text.len() + 1);
        match numbers.below(4) {
            0 => drop(text.drain(at..(at + numbers.below(8)).min(text.len()))),
            1 => drop(text.splice(at..at, PIECES[numbers.below(PIECES.len())].chars())),
            2 => {
                let copy: Vec<char> = text[at..(at + numbers.below(30)).min(text.len())].to_vec();
                let to = numbers.below(text.len() + 1);
                drop(text.splice(to..to, copy));
            }
            _ => {
                let other: Vec<char> = SEEDS[numbers.below(SEEDS.len())].chars().collect();
                let from = numbers.below(other.len());
                drop(text.splice(at..at, other[from..].iter().copied()));
            }
        }
    }
    text.into_iter().collect()
}

fn treat(text: &str, under: &super::node::Mapping) {
    let options = Options::from([
        ("t".to_owned(), Value::Bool(true)),
        ("e".to_owned(), Value::Text("x".to_owned())),
        ("f".to_owned(), Value::List(vec![Value::Text("x".to_owned())])),
    ]);
    let _ = expression::evaluate(text, &|name| options.get(name));
    let Ok(mut node) = yaml::parse(text, File::named("hostile")) else { return };
    let _ = loader::declarations(&node);
    let _ = conditional::process(&mut node, &options, &["name"]);
    let mut target = under.clone();
    let _ = compose::compose(&node, &mut target);
    let _ = compose::compose_under(node.clone(), &mut target);
    let _ = compose::check_mapping_composited(&target);
    for mapping in [node.mapping("variables").ok().flatten().cloned(), Some(node.clone())].into_iter().flatten() {
        if let Ok(variables) = Variables::new(mapping) {
            let _ = variables.check();
            let _ = variables.expand_mapping(&mut node);
        }
    }
}

#[test]
fn whatever_comes_in_an_answer_comes_out() {
    let rounds = std::env::var("HOSTILE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3_000);
    let mut numbers = Numbers(rounds as u64);
    let mut under = super::node::Mapping::empty();
    for _ in 0..rounds {
        let text = mutated(&mut numbers);
        treat(&text, &under);
        if let Ok(node) = yaml::parse(&text, File::named("hostile")) {
            under = node;
        }
    }
}
