public import ArgumentParser
public import ModbusProtocol

extension RegisterTable: ExpressibleByArgument {}
extension RegisterEncoding: ExpressibleByArgument {}
extension RegisterOrder: ExpressibleByArgument {}
