import Documents
import Plant
import Testing

@Suite("The models behind the simulated devices")
struct PlantModelTests {
  private func run(_ kind: ModbusKind, seed: UInt64, ticks: Int, change: (inout RegisterImage) -> Void = { _ in })
    -> RegisterImage
  {
    var model = kind.model(number: 1, seed: seed)
    var image = RegisterImage(layout: model.layout)
    model.prepare(&image)
    change(&image)
    for _ in 0..<ticks { model.step(by: .milliseconds(100), &image) }
    return image
  }

  @Test("the same seed gives the same registers, another seed others", arguments: ModbusKind.allCases)
  func seeds(kind: ModbusKind) {
    #expect(run(kind, seed: 7, ticks: 50) == run(kind, seed: 7, ticks: 50))
    #expect(run(kind, seed: 7, ticks: 50) != run(kind, seed: 8, ticks: 50))
  }

  @Test("every kind moves by itself", arguments: ModbusKind.allCases)
  func moves(kind: ModbusKind) {
    #expect(run(kind, seed: 1, ticks: 10) != run(kind, seed: 1, ticks: 20))
  }

  @Test("with the pump on, the flow temperature reaches the setpoint; with it off, it falls to the room's")
  func boilerFollows() {
    func flow(pump: UInt16) -> Double {
      let image = run(.boiler, seed: 3, ticks: 3_000) { image in
        image[.coil, 3] = pump
        image[.holding, 40] = 600
      }
      return Double(Int16(bitPattern: image[.input, 10])) / 10
    }
    #expect(abs(flow(pump: 1) - 60) < 0.5)
    #expect(abs(flow(pump: 0) - 18) < 0.5)
  }

  @Test("the overheat alarm is bit 5 of input 20, and stands above 82 °C only", arguments: [(600, false), (850, true)])
  func overheat(setpoint: UInt16, alarm: Bool) {
    let image = run(.boiler, seed: 3, ticks: 3_000) { image in
      image[.coil, 3] = 1
      image[.holding, 40] = setpoint
    }
    #expect((image[.input, 20] & 1 << 5 != 0) == alarm)
  }

  @Test("the flow curve does not depend on the length of a tick")
  func tickLength() {
    func flow(_ ticks: Int, _ tick: Duration) -> Double {
      var model = BoilerModel(number: 1, seed: 5)
      var image = RegisterImage(layout: model.layout)
      model.prepare(&image)
      image[.coil, 3] = 1
      for _ in 0..<ticks { model.step(by: tick, &image) }
      return Double(image[.input, 10]) / 10
    }
    // The noise of a reading is at most 0.15 °C, its step 0.1 °C.
    #expect(abs(flow(300, .milliseconds(100)) - flow(30, .seconds(1))) <= 0.45)
  }

  @Test("the meter's energy rises with the power it shows")
  func energyRises() {
    let before = run(.sdm630, seed: 2, ticks: 0)
    let after = run(.sdm630, seed: 2, ticks: 36_000)
    let kilowattHours = after.float32(.input, 342) - before.float32(.input, 342)
    // Three phases of about 230 V and 8 A at 0.95 for an hour.
    #expect((4.0...6.5).contains(kilowattHours))
    #expect((200...260).contains(after.float32(.input, 0)))
    let total = after.float32(.input, 12) + after.float32(.input, 14) + after.float32(.input, 16)
    #expect(abs(total - after.float32(.input, 52)) < 0.01)
    #expect((49.9...50.1).contains(after.float32(.input, 70)))
  }

  @Test("the inverter's model chain runs from SunS to the end model")
  func sunSpecChain() {
    let image = run(.sunspec, seed: 1, ticks: 1)
    #expect(image.string(.holding, 40_000, registers: 2) == "SunS")
    var address = 40_002
    var models: [UInt16] = []
    while models.count < 10, image[.holding, address] != 0xFFFF {
      models.append(image[.holding, address])
      address += 2 + Int(image[.holding, address + 1])
    }
    #expect(models == [1, 103])
    #expect(image[.holding, address + 1] == 0)
    #expect(image.string(.holding, 40_052, registers: 16) == "SI10-0001")
  }

  @Test("a room's curve is its seed's, and stays in a room's range")
  func rooms() {
    var first = RoomModel(number: 1, seed: 4)
    var again = RoomModel(number: 1, seed: 4)
    var other = RoomModel(number: 2, seed: 4)
    var differs = false
    for _ in 0..<500 {
      first.step(by: .seconds(1))
      again.step(by: .seconds(1))
      other.step(by: .seconds(1))
      #expect(first == again)
      #expect((150...270).contains(first.temperatureTenths))
      #expect((300...600).contains(first.humidityTenths))
      if first.temperatureTenths != other.temperatureTenths { differs = true }
    }
    #expect(differs)
  }

  @Test("a page of identification that does not hold all objects says where to go on")
  func identificationPages() throws {
    var identification = DeviceIdentification(
      vendorName: "Example Works", productCode: "BC-4", revision: "1.3", modelName: "BC-4",
      userApplicationName: "BC4-0001")
    identification.pageBytes = 24
    var objects: [UInt8: String] = [:]
    var next: UInt8? = 0
    var pages = 0
    while let start = next, pages < 10 {
      let answer = try identification.answer(to: [0x0E, 2, start]).get()
      #expect(answer[..<3] == [0x0E, 2, 0x82])
      var position = 6
      for _ in 0..<answer[5] {
        let length = Int(answer[position + 1])
        objects[answer[position]] = String(decoding: answer[position + 2..<position + 2 + length], as: UTF8.self)
        position += 2 + length
      }
      #expect(position == answer.count)
      next = answer[3] == 0xFF ? answer[4] : nil
      pages += 1
    }
    #expect(pages > 1)
    #expect(objects == identification.objects)
  }

  @Test(
    "identification requests that the specification refuses",
    arguments: [
      ([0x0E, 5, 0], ModbusException.illegalDataValue), ([0x0E, 4, 9], .illegalDataAddress),
      ([0x0D, 1, 0], .illegalFunction), ([0x0E, 1], .illegalDataValue),
    ] as [([UInt8], ModbusException)])
  func refusedIdentification(request: [UInt8], exception: ModbusException) {
    let identification = DeviceIdentification(vendorName: "a", productCode: "b", revision: "c")
    #expect(identification.answer(to: request) == .failure(exception))
  }
}
