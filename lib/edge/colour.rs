//! Colours for terminals, in BuildStream's palette.

/// When text is coloured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    Auto,
    Always,
    Never,
}

impl When {
    /// What `--color` says.
    pub fn from_word(word: Option<&str>) -> When {
        match word {
            Some("always") => When::Always,
            Some("never") => When::Never,
            _ => When::Auto,
        }
    }

    /// Whether text for something that is a terminal, or is none, is coloured.
    pub fn colours(self, is_terminal: bool) -> bool {
        match self {
            When::Always => true,
            When::Never => false,
            When::Auto => {
                let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
                is_terminal && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }
}

/// How a piece of text looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Style {
    #[default]
    Plain,
    Red,
    Green,
    Yellow,
    /// Keys that are not those of the sources: found by the weak key.
    DimYellow,
    Blue,
    BoldBlue,
    Magenta,
    Cyan,
    Bold,
    Dim,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Style::Plain => "",
            Style::Red => "\x1b[31m",
            Style::Green => "\x1b[32m",
            Style::Yellow => "\x1b[33m",
            Style::DimYellow => "\x1b[33m\x1b[2m",
            Style::Blue => "\x1b[34m",
            Style::BoldBlue => "\x1b[34m\x1b[1m",
            Style::Magenta => "\x1b[35m",
            Style::Cyan => "\x1b[36m",
            Style::Bold => "\x1b[1m",
            Style::Dim => "\x1b[2m",
        }
    }
}

/// Paints, or does not.
#[derive(Clone, Copy, Debug)]
pub struct Brush(pub bool);

impl Brush {
    /// The text in a style.
    pub fn paint(self, style: Style, text: &str) -> String {
        if self.0 && style != Style::Plain { format!("{}{text}\x1b[0m", style.code()) } else { text.to_owned() }
    }
}
