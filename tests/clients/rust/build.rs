//! Generates the client from the contract.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let protos = "../../../protos";
    let contract = protox::compile(["mediaconduit/v1/provider.proto"], [protos, &format!("{protos}/third_party")])?;
    tonic_prost_build::configure()
        .build_server(false)
        .extern_path(".google.rpc", "::tonic_types::pb")
        .compile_fds(contract)?;
    println!("cargo:rerun-if-changed={protos}/mediaconduit");
    Ok(())
}
