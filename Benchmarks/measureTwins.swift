/// Everything that is measured of the twins alone.
func measureTwins() async throws -> [Measurement] {
  try await measureTwinPersistence() + measureTwinIngest() + measureTwinLoad() + measureTwinFlash() + measureWish()
}
