//! Names of machine architectures (spec: keys 3.6).

/// The one name that all names of an architecture stand for; `None` for a name that BuildStream does not know.
pub fn canonical(name: &str) -> Option<&'static str> {
    Some(match &*name.replace('_', "-").to_lowercase() {
        "aarch32" | "arm" => "aarch32",
        "aarch64" | "armv8l" => "aarch64",
        "aarch64-be" | "armv8b" => "aarch64-be",
        "la64v100" | "loong64" | "loongarch64" => "la64v100",
        "power-isa-be" | "powerpc" | "powerpc64" | "ppc64" => "power-isa-be",
        "power-isa-le" | "powerpc64le" | "ppc64le" => "power-isa-le",
        "rv32g" | "riscv32" => "rv32g",
        "rv64g" | "riscv64" => "rv64g",
        "sparc-v9" | "sparc" | "sparc64" | "sun4v" => "sparc-v9",
        "x86-32" | "i386" | "i486" | "i586" | "i686" => "x86-32",
        "x86-64" | "amd64" => "x86-64",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn names_in_any_spelling() {
        assert_eq!(canonical("x86_64"), Some("x86-64"));
        assert_eq!(canonical("AMD64"), Some("x86-64"));
        assert_eq!(canonical("ppc64le"), Some("power-isa-le"));
        assert_eq!(canonical("pdp11"), None);
    }
}
