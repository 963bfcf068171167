/** `verifier_bg.wasm` in base64; written when the package is made. */
declare const base64: string;
export default base64;
