public import ArgumentParser
public import ModbusProtocol

extension RegisterTable: @retroactive ExpressibleByArgument {}
extension RegisterEncoding: @retroactive ExpressibleByArgument {}
extension RegisterOrder: @retroactive ExpressibleByArgument {}
