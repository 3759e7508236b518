//! The names and passwords in `~/.netrc`, which BuildStream's downloads use too.

use std::path::Path;

/// A machine's entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

/// The entry for a machine, or else the default one.
pub(super) fn find(home: &Path, machine: &str) -> Option<Login> {
    parse(&std::fs::read_to_string(home.join(".netrc")).ok()?, machine)
}

fn parse(text: &str, machine: &str) -> Option<Login> {
    let mut words = text.lines().take_while(|line| !line.trim_start().starts_with("macdef")).flat_map(|line| {
        let line = if line.trim_start().starts_with('#') { "" } else { line };
        line.split_whitespace()
    });
    let mut found: Option<Login> = None;
    let mut fallback: Option<Login> = None;
    let mut entry = Entry::Other;
    while let Some(word) = words.next() {
        match word {
            "machine" if words.next() == Some(machine) && found.is_none() => {
                found = Some(Login::default());
                entry = Entry::Asked;
            }
            "machine" => entry = Entry::Other,
            "default" => {
                fallback = Some(Login::default());
                entry = Entry::Default;
            }
            "login" | "user" | "password" => {
                let value = words.next().unwrap_or_default().trim_matches('"').to_owned();
                let login = match entry {
                    Entry::Asked => &mut found,
                    Entry::Default => &mut fallback,
                    Entry::Other => continue,
                };
                let Some(login) = login else { continue };
                *(if word == "password" { &mut login.password } else { &mut login.user }) = value;
            }
            _ => {}
        }
    }
    found.or(fallback)
}

/// Which entry the words belong to.
enum Entry {
    Asked,
    Default,
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_own_entry_comes_before_the_default() {
        let text =
            "# all\nmachine a login u password p\nmachine b\n  login v\n  password \"q\"\ndefault login d password e\n";
        let login = |user: &str, password: &str| Some(Login { user: user.into(), password: password.into() });
        assert_eq!(parse(text, "a"), login("u", "p"));
        assert_eq!(parse(text, "b"), login("v", "q"));
        assert_eq!(parse(text, "c"), login("d", "e"));
        assert_eq!(parse("machine a password p", "c"), None);
    }
}
