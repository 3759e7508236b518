//! The links that a project knows: the paths of link elements, also those of projects below it, and what
//! they lead to.

/// Paths and their targets, in the order in which they were found.
#[derive(Default)]
pub struct Links(Vec<(String, String)>);

impl Links {
    /// Adds a link, and leads to its target what led to the link.
    pub fn add(&mut self, link: &str, target: &str) {
        match self.0.iter_mut().find(|(known, _)| known == link) {
            Some((_, known)) => target.clone_into(known),
            None => self.0.push((link.to_owned(), target.to_owned())),
        }
        for index in 0..self.0.len() {
            if self.expand(&self.0[index].1) == link {
                target.clone_into(&mut self.0[index].1);
            }
        }
    }

    /// The path with the first link that it starts with replaced.
    pub fn expand(&self, path: &str) -> String {
        let found = self.0.iter().find_map(|(link, target)| Some((target, path.strip_prefix(&**link)?)));
        found.map_or_else(|| path.to_owned(), |(target, rest)| format!("{target}{rest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_link_that_a_path_starts_with_counts() {
        let mut links = Links::default();
        links.add("a.bst", "b.bst");
        links.add("c.bst", "b.bst:d.bst");
        assert_eq!(links.expand("a.bst:x.bst"), "b.bst:x.bst");
        assert_eq!(links.expand("z.bst"), "z.bst");
        links.add("a.bst", "e.bst");
        assert_eq!(links.expand("a.bst"), "e.bst");
    }
}
