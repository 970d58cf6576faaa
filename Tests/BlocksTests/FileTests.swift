import MurmurBlocks
import MurmurMachines
import MurmurWire
import Testing

/// Files as streams: the same names as Kubo's, in little memory.
@Suite struct FileTests {
  private func add(_ bytes: [UInt8], _ format: Importer.Format, pieces: Int) -> (Importer.Imported, [Block]) {
    var importer = Importer(format)
    var blocks: [Block] = []
    for start in stride(from: 0, to: bytes.count, by: pieces) {
      importer.append(Array(bytes[start..<min(start + pieces, bytes.count)])) { blocks.append($0) }
    }
    let imported = importer.finish { blocks.append($0) }
    return (imported, blocks)
  }

  @Test(arguments: 0..<40) func `however the bytes come, the name is that of the bytes in memory, and reading gives them back`(
    seed: UInt64
  ) throws {
    var chance = Chance(seed: seed)
    var format = seed % 2 == 0 ? Importer.Format.version1 : .kubo
    format.chunkBytes = [1, 3, 100][chance.below(3)]
    format.linksPerNode = [2, 3, 174][chance.below(3)]
    let bytes = randomBytes(chance.below(40) * chance.below(20) * format.chunkBytes + chance.below(3), seed: seed)
    let (imported, blocks) = add(bytes, format, pieces: 1 + chance.below(300))
    #expect(imported.fileBytes == UInt64(bytes.count) && imported.root == blocks.last?.cid, "seed \(seed)")
    #expect(imported.totalBytes == UInt64(blocks.reduce(0) { $0 + $1.bytes.count }), "seed \(seed)")
    if format.rawLeaves, format.linksPerNode == 174 {
      #expect(imported.root == Object.build(bytes, chunk: format.chunkBytes).root, "seed \(seed)")
    }
    var held: [CID: Block] = [:]
    for block in blocks { held[block.cid] = block }
    var exporter = Exporter(imported.root)
    var read: [UInt8] = []
    while let cid = exporter.needed { read += try exporter.take(try #require(held[cid])) }
    #expect(read == bytes && exporter.position == UInt64(bytes.count), "seed \(seed)")
    #expect(exporter.fileBytes == UInt64(bytes.count), "seed \(seed)")
  }

  /// The names that Kubo 0.22 gave these files (`ipfs add`, and the same with raw leaves and version 1).
  @Test(arguments: Golden.files) func `a file has the name that Kubo gives it`(file: Golden) {
    let bytes = file.bytes
    #expect(add(bytes, .kubo, pieces: 100_000).0.name == file.version0)
    if let version1 = file.version1 { #expect(add(bytes, .version1, pieces: 65_536).0.name == version1) }
  }

  @Test func `what waits for its node does not grow with the file`() {
    var format = Importer.Format.kubo
    format.chunkBytes = 16
    var importer = Importer(format)
    var largest = 0
    var count = 0
    let piece = [UInt8](repeating: 7, count: 1 << 16)
    for _ in 0..<64 {
      importer.append(piece) { _ in count += 1 }
      largest = max(largest, importer.waiting)
    }
    let imported = importer.finish { _ in count += 1 }
    #expect(imported.fileBytes == 4 << 20 && count > 260_000)
    #expect(largest <= 4 * 174)
  }

  @Test func `a file that lies about a size ends in an error`() throws {
    let leaf = Block(randomBytes(100, seed: 4))
    let liar = DAGNode(links: [.init(leaf.cid, fileBytes: 99, totalBytes: 100)]).block()
    var exporter = Exporter(liar.cid)
    #expect(try exporter.take(liar).isEmpty)
    #expect(exporter.upcoming(5) == [leaf.cid])
    #expect(throws: ObjectError.wrongSize(leaf.cid, says: 99)) { try exporter.take(leaf) }
    var odd = Exporter(Block([1, 2, 3], codec: .dagPB).cid)
    #expect(throws: ObjectError.self) { try odd.take(Block([1, 2, 3], codec: .dagPB)) }
  }

  @Test func `a path leads through directories, and says where it ends`() throws {
    // A directory with one entry, as Kubo writes it: links before data, then the type 1.
    let (imported, blocks) = add(Array("hello world\n".utf8), .kubo, pieces: 5)
    let file = blocks[0]
    #expect(imported.name == "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o")
    func directory(_ name: String, _ cid: CID, _ size: UInt8) -> Block {
      let link: [UInt8] = [0x0a, 34] + cid.bytesOfVersion0 + [0x12, UInt8(name.utf8.count)] + Array(name.utf8) + [0x18, size]
      return Block([0x12, UInt8(link.count)] + link + [0x0a, 2, 0x08, 1], codec: .dagPB)
    }
    let inner = directory("hello.txt", file.cid, UInt8(file.bytes.count))
    let outer = directory("texts", inner.cid, UInt8(file.bytes.count + inner.bytes.count))
    #expect(outer.cid.descriptionOfVersion0 == "QmcV7k5ECk2qaoZrM56if3gN3FQj4cj8bzSKTe7anQmqLS", "Kubo's name for it")
    #expect(try Directory(decoding: outer).entries.map(\.name) == ["texts"])
    var path = try ObjectPath(parsing: "/ipfs/\(outer.cid)/texts/hello.txt")
    #expect(path.description == "/ipfs/\(outer.cid)/texts/hello.txt")
    path = try path.step(through: outer)
    path = try path.step(through: inner)
    #expect(path == ObjectPath(file.cid))
    #expect(throws: WireError("IPFS path", "directory \(outer.cid) has no entry \"absent\"")) {
      try ObjectPath(outer.cid, ["absent"]).step(through: outer)
    }
    #expect(throws: WireError.self) { try ObjectPath(file.cid, ["x"]).step(through: file) }
    let shard = Block([0x0a, 6, 0x08, 5, 0x28, 0x22, 0x30, 0x10], codec: .dagPB)
    let error = #expect(throws: WireError.self) { try Directory(decoding: shard) }
    #expect(error?.problem.contains("HAMT") == true)
    let unreadable = #expect(throws: ObjectError.self) {
      var exporter = Exporter(outer.cid)
      _ = try exporter.take(outer)
    }
    #expect(unreadable?.description.contains("directory") == true)
  }

  @Test func `hostile nodes and directories never trap`() {
    var chance = Chance(seed: 6)
    let (_, blocks) = add(randomBytes(2_000, seed: 1), .kubo, pieces: 512)
    let node = DAGNode(links: blocks.map { .init($0.cid, fileBytes: 5, totalBytes: 9) }).block(version0: true).bytes
    var read = 0
    for _ in 0..<Effort.inputs {
      let block = Block(mutated(node, &chance), codec: .dagPB)
      if (try? Directory(decoding: block)) != nil { read += 1 }
      var exporter = Exporter(block.cid)
      if (try? exporter.take(block)) != nil { read += 1 }
    }
    #expect(read > 0)
  }
}
