/// The points of the SunSpec information models that are served, as compact text: nothing of it takes memory until a
/// SunSpec device is met, and then only its models are read (``SunSpecTable``).
///
/// The facts are those of the SunSpec Alliance's published model definitions; ID and length, which begin every model, are
/// left out. A line each:
///
/// | Line | Meaning |
/// |---|---|
/// | `@101:inverter 102:inverter 10s` | begins models that have the same points: ID and the word that begins the names of their properties; then the period of reading |
/// | `A u16 A *A_SF ! = ^ {1:off,2:on}` | a point: name, type, unit (UCUM), scale factor's point or power of ten; `!` writable, `=` never changes, `^` for the status; names of numbers or bits |
/// | `~20 V# u16 ; W# u16` | the points V1 W1 V2 W2 and so on to 20 |
/// | `>pt NPt` | begins a group behind the points: as often as the point says, so often, or until the model ends |
/// | `<` | ends the group |
///
/// Types: u s signed or not, a accumulator, e enumeration, b bit field, f float, each with its bits; str and registers;
/// cnt count, sf scale factor, pad and registers.
enum SunSpecText {
  static var all: [String] { [inverters, curves, meters, arrays, der, storage] }
}
