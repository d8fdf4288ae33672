//! Concurrent traces: what is possible is explained, what is not is refused.

mod generate;

use generate::{Random, stepped, stretched};
use npfs_machine::{Deviations, check};

#[test]
fn try_it() {
    let n: u64 = std::env::var("N").ok().and_then(|n| n.parse().ok()).unwrap_or(200);
    let mut bad = 0;
    for seed in 0..n {
        let mut random = Random::new(seed);
        let threads = 1 + random.below(5);
        let trace = stepped(&mut random, threads, 2, 40);
        let checked = check(&trace, &Deviations::default());
        assert!(checked.is_explained(), "{seed} stepped: {checked:?}");
        let width = random.below(12);
        let wide = stretched(&trace, &mut random, width);
        let checked = check(&wide, &Deviations::default());
        if seed == 3 || seed == 11 {
            println!("{}\n{}", checked.order.clone().unwrap(), wide.write());
        }
        if !checked.is_explained() {
            bad += 1;
            if bad < 3 {
                println!("{}", trace.write());
                println!("{}", wide.write());
                println!(
                    "seed {seed}: {:#?} {:?}\n{}",
                    checked.difference,
                    checked.unknown,
                    checked.order.unwrap_or_default()
                );
            }
        }
    }
    println!("{bad} of {n}");
    assert_eq!(bad, 0);
}
