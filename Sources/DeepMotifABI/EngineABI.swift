// EngineABI: the instruction level. ABI room.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CDeepMotif
import DeepMotifCore

@_cdecl("dm_isa_supported") @implementation
public func dm_isa_supported() -> Int32 { InstructionLevel.supported }

@_cdecl("dm_isa_level") @implementation
public func dm_isa_level() -> Int32 { InstructionLevel.current }

@_cdecl("dm_isa_set_level") @implementation
public func dm_isa_set_level(_ level: Int32) -> Int32 {
    guarded { () throws(DeepMotifError) in try InstructionLevel.select(level) }
}
