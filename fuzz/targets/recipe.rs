//! Recipes: what is accepted says the same once written out and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use minimax::recipe::Recipe;

fuzz_target!(|text: &str| {
    if let Ok(recipe) = Recipe::parse("fuzz.toml", text, &[]) {
        let again = Recipe::parse("again.toml", &recipe.to_toml(), &[]);
        assert_eq!(again.expect("a recipe that was accepted"), recipe);
    }
});
