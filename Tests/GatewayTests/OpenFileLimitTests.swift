import Gateway
import Testing

@Suite struct OpenFileLimitTests {
  @Test(
    "connections get what the limit leaves beside devices and files",
    arguments: [(256, 64), (1_024, 512), (2_000, 1_488), (3_072, 2_048), (1_048_576, 2_048), (32, 64)])
  func connections(descriptors: Int, connections: Int) {
    #expect(OpenFileLimit(descriptors: descriptors).connections == connections)
  }
}
