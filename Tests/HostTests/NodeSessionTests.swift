import Foundation
import MurmurCollective
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import MurmurWire
import Testing

extension WholeNodes {
  /// Whole nodes with stores, worker threads and sockets in one process: what the thread sanitizer is to look at.
  @Suite(.serialized) struct NodeSessionTests {
    @Test func `nodes with stores learn together, stop, and go on from what they kept`() async throws {
      let folder = NSTemporaryDirectory() + "murmur-nodes-\(ProcessInfo.processInfo.globallyUniqueString)"
      defer { try? FileManager.default.removeItem(atPath: folder) }
      var nodes: [HonestNode] = []
      for number in 0..<3 {
        let path = "\(folder)/\(number)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        nodes.append(try await HonestNode(number, joining: nodes.first.map { [$0.address] } ?? [], folder: path))
      }
      let (first, last) = (nodes[0], nodes[2])
      let everybody = nodes
      #expect(try await eventually { everybody.allSatisfy { $0.averages >= 3 } }, "\(nodes.map(\.averages))")
      #expect(try await eventually { try await last.node.snapshot().model != nil })
      #expect(try await first.node.ping(last.keys.peerID) > .zero)
      let load = try await first.node.load()
      #expect(load.links >= 2 && load.shutOut == 0 && load.unproven == 0, "\(load)")
      #expect(nodes.allSatisfy { $0.offended.isEmpty }, "\(nodes.flatMap(\.offended))")
      try await last.stop()
      #expect(try await eventually { try await first.node.snapshot().neighbours.allSatisfy { $0.peer != last.keys.peerID } })
      let again = try await HonestNode(2, joining: [first.address], folder: folder + "/2")
      #expect(try await again.node.snapshot().blocks > 0, "its blocks are there")
      #expect(try await eventually { again.averages >= 2 })
      for node in [nodes[0], nodes[1], again] { try await node.stop() }
    }

    @Test func `signed and unsigned peers meet: the signed ones go on, and believe nothing unsigned`() async throws {
      let first = try await HonestNode(0)
      let second = try await HonestNode(1, joining: [first.address])
      let unsigned = try await HonestNode(2, joining: [first.address], isSealed: false)
      #expect(try await eventually { first.averages >= 3 && second.averages >= 3 && unsigned.averages >= 3 })
      let known = try await first.node.look { $0.collective.known }
      #expect(known == 1, "the unsigned peer's models are nobody's")
      #expect(try await first.node.ban(of: unsigned.keys.peerID) == nil, "to be silent is no offence")
      for node in [first, second, unsigned] { try await node.stop() }
    }
  }
}
