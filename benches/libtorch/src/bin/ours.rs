//! `ours RECIPE THREADS` trains a few steps by minimax alone and prints its footprint as JSON. A program of
//! its own, so that libtorch is not even loaded.

#[path = "../process.rs"]
#[expect(dead_code, reason = "the main program's")]
mod process;
#[path = "../subjects.rs"]
#[expect(dead_code, reason = "the main program's")]
mod subjects;

use minimax::Device;
use minimax::gan::model::Gan;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, name, threads] = &arguments[..] else {
        panic!("ours RECIPE THREADS");
    };
    let threads = threads.parse().expect("a number of threads");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let footprint = pool.expect("threads").install(|| {
        let recipe = subjects::recipe(name);
        let count = recipe.training.real_images();
        let real = subjects::Batch::new(&recipe, count, &mut subjects::random()).ours();
        let mut gan = Gan::new(&recipe, Device::Cpu);
        process::footprint(|| {
            gan.step(real.clone(), false).expect("finite losses");
        })
    });
    println!("{}", serde_json::to_string(&footprint).expect("plain numbers"));
}
