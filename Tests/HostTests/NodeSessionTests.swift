import Dispatch
import Foundation
import MurmurBlocks
import MurmurCollective
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import MurmurRouting
import MurmurStorage
import MurmurWire
import NIOConcurrencyHelpers
import NIOPosix
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

    @Test func `while a job keeps the workers busy the disk is written, and a peer stops without waiting for the job`()
      async throws
    {
      let folder = try Self.folder()
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let node = try await HonestNode(0, folder: folder)
      let gate = DispatchSemaphore(value: 0)
      node.workers.submit { _ in gate.wait() }
      let object = Object.build(Array("safe while it trains".utf8))
      let isClosed = NIOLockedValueBox(false)
      _Concurrency.Task {
        try await node.node.add(object)
        try await node.node.pin(object.root)
        try await node.node.close()
        isClosed.withLockedValue { $0 = true }
      }
      #expect(try await eventually(20) { isClosed.withLockedValue { $0 } }, "the disk waits for the job")
      try node.store?.close()
      let again = try Store(at: folder)
      #expect(try again.get(object.root) != nil)
      #expect(try again.pins().contains { $0.root == object.root })
      try again.close()
      gate.signal()
      try await node.workers.shutdownGracefully()
    }

    @Test func `what was announced and is still pinned is announced again by the next life`() async throws {
      let folder = try Self.folder()
      defer { try? FileManager.default.removeItem(atPath: folder) }
      func quick(_ configuration: inout NodeConfiguration) {
        for index in configuration.tables.indices {
          configuration.tables[index].emptyInterval = .patient(0.1)
          configuration.tables[index].republishRetry = .patient(0.2)
        }
      }
      let first = try await HonestNode(0, configure: quick)
      let one = try await HonestNode(1, joining: [first.address], folder: folder, configure: quick)
      #expect(try await eventually { try await one.node.snapshot().tables == [1] })
      let objects = ["kept", "let go", "never pinned"].map { Object.build(Array($0.utf8)) }
      for object in objects {
        try await one.node.take(object.blocks)
        if object.root != objects[2].root { try await one.node.pin(object.root) }
        #expect(try await one.node.provide(object.root) == [.stored(at: 1, of: 1)])
      }
      #expect(try await one.node.unpin(objects[1].root))
      for node in [one, first] { try await node.stop() }

      let other = try await HonestNode(2, configure: quick)
      let again = try await HonestNode(1, joining: [other.address], folder: folder, configure: quick)
      #expect(
        try await eventually { try await other.node.providers(of: objects[0].root).map(\.peer) == [again.keys.peerID] },
        "it is not announced again")
      for object in objects[1...] { #expect(try await other.node.providers(of: object.root).isEmpty) }
      for node in [again, other] { try await node.stop() }
    }

    private static func folder() throws -> String {
      let path = NSTemporaryDirectory() + "murmur-node-\(UUID().uuidString)"
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      return path
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
