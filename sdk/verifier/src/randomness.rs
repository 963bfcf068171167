//! What signing would need. Nothing here signs, and a verifier draws no random number; but what it is
//! made of wants to know where one would come from.

// There is none. (The other of the two generators is told to ask the browser.)
getrandom_0_2::register_custom_getrandom!(none);

fn none(_: &mut [u8]) -> Result<(), getrandom_0_2::Error> {
    Err(getrandom_0_2::Error::UNSUPPORTED)
}
