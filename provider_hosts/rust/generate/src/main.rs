//! Writes the contract in Rust: `generate PROTOS OUTPUT`.

use std::error::Error;
use std::{env, fs};

use prost::Message;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [protos, output] = &arguments[..] else { return Err("usage: generate PROTOS OUTPUT".into()) };
    let contract =
        protox::compile(["mediaconduit/v1/provider.proto"], [protos.as_str(), &format!("{protos}/third_party")])?;
    let mut described = contract.clone();
    for file in &mut described.file {
        file.source_code_info = None;
    }
    fs::write(format!("{output}/descriptors.binpb"), described.encode_to_vec())?;
    tonic_prost_build::configure()
        .build_client(false)
        .extern_path(".google.rpc", "::tonic_types::pb")
        .out_dir(output)
        .compile_fds(contract)?;
    Ok(())
}
