#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif
package import SwiftProtobuf

/// The two doors between generated messages and byte arrays, so that protocol rooms need not import SwiftProtobuf themselves.
extension SwiftProtobuf.Message {
  /// The encoded message.
  package var wire: [UInt8] {
    // Encoding can fail for missing required fields, which no schema of ours has, and for messages of 2 GiB.
    do { return try serializedBytes() } catch { preconditionFailure("a message of \(Self.self) cannot be encoded: \(error)") }
  }

  /// Decodes `bytes`, nested at most `depth` deep; unknown fields are dropped unless `keepingUnknown`.
  ///
  /// Callers bound the number of bytes and fields before (``ProtobufScan/bound(_:what:fields:counting:)``).
  package init(wire bytes: [UInt8], what: String, depth: Int = 8, keepingUnknown: Bool = false) throws(WireError) {
    var options = BinaryDecodingOptions()
    options.messageDepthLimit = depth
    options.discardUnknownFields = !keepingUnknown
    do {
      try self.init(serializedBytes: bytes, options: options)
    } catch {
      throw WireError(what, "not a valid protobuf message of this kind (\(error))")
    }
  }
}

/// Generated messages keep bytes as Foundation's `Data`; these two let a protocol room write `.init(wire: bytes)` and `data.array`
/// without importing Foundation.
extension Data {
  /// The bytes of `wire`.
  package init(wire: [UInt8]) { self.init(wire) }

  /// The bytes as an array.
  package var array: [UInt8] { [UInt8](self) }
}
