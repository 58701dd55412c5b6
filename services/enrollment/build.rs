//! Builds again when a migration is added: the compiler only follows the ones it has embedded.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
