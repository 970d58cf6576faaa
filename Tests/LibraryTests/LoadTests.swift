import Foundation
import MurmurCompute
import MurmurDatasets
import MurmurLibrary
import MurmurMachines
import Testing

@Suite("Loading by name and by path")
struct LoadTests {
  let folder = TemporaryFolder()
  private var library: Library { Library(folders: [folder.path], cache: folder.path + "/cache") }

  @Test("the built-in digits need nothing")
  func builtIn() throws {
    #expect(try library.load("digits").count == 1797)
    #expect(library.list().first?.isHere == true)
  }

  @Test("unknown names list the known ones and the nearest")
  func unknown() {
    let error = #expect(throws: LibraryError.self) { try library.load("fasion-mnist") }
    #expect(
      error?.description
        == "there is no data set or file 'fasion-mnist'; did you mean 'fashion-mnist'? Known names: digits, mnist, fashion-mnist, hepmass, higgs"
    )
    let missing = #expect(throws: LibraryError.self) { try library.load("higgs") }
    #expect(missing?.description.contains("murmur data fetch higgs") == true)
    let path = #expect(throws: LibraryError.self) { try library.load("rows/nowhere.csv") }
    #expect(path?.description == "rows/nowhere.csv: there is no such file; check the path")
  }

  @Test("a table is known by its content, whatever its name; errors name the file")
  func tables() throws {
    folder.write(Array("a;b;class\n1;2;red\n3;4;blue\n".utf8), "table.dat")
    let table = try library.load(folder.path + "/table.dat")
    #expect(table.classNames == ["blue", "red"])
    folder.write(Array("1\t0.5\n0\t0.25\n".utf8), "sub/numbers.tsv")
    let numbers = try library.load("sub/numbers.tsv", label: "0")
    #expect(numbers.classNames == ["0", "1"] && numbers.name == "numbers")
    folder.write(Array("a,b\n1,x\n2\n".utf8), "broken.csv")
    let error = #expect(throws: LibraryError.self) { try library.load(folder.path + "/broken.csv") }
    #expect(error?.description.hasPrefix("\(folder.path)/broken.csv:3:2: this row has 1 fields") == true)
    folder.write([], "empty.csv")
    #expect(throws: LibraryError.self) { try library.load(folder.path + "/empty.csv") }
    folder.write([0x50, 0x4b, 3, 4, 0], "a.npz")
    #expect(throws: LibraryError.self) { try library.load(folder.path + "/a.npz") }
    folder.write([0x1f, 0x8b, 8, 0, 0, 0, 0], "cut.gz")
    #expect(throws: LibraryError.self) { try library.load(folder.path + "/cut.gz") }
  }

  @Test("images find their labels and their test part beside them")
  func images() throws {
    func idx(_ shape: [UInt8], _ body: [UInt8]) -> [UInt8] {
      [0, 0, 8, UInt8(shape.count)] + shape.flatMap { [0, 0, 0, $0] } + body
    }
    folder.write(idx([2, 1, 2], [1, 2, 3, 4]), "set/train-images-idx3-ubyte")
    folder.write(idx([2], [0, 1]), "set/train-labels-idx1-ubyte")
    #expect(try library.load(folder.path + "/set/train-images-idx3-ubyte").testFrom == nil)
    folder.write(idx([1, 1, 2], [5, 6]), "set/t10k-images-idx3-ubyte")
    folder.write(idx([1], [1]), "set/t10k-labels-idx1-ubyte")
    #expect(try library.load(folder.path + "/set/train-images-idx3-ubyte").testFrom == 2)
    #expect(try library.load(folder.path + "/set").count == 3)
  }

  @Test("the search goes from MURMUR_DATA over the cache to the system's packages")
  func order() {
    let library = Library(environment: ["MURMUR_DATA": "/a/", "XDG_CACHE_HOME": "/c", "HOME": "/h"])
    #expect(library.folders.first == "/a")
    #expect(library.folders.suffix(3) == ["/c/murmuration", "/usr/local/share/datasets", "/usr/share/datasets"])
    #expect(Library(environment: ["HOME": "/h"]).cache == "/h/.cache/murmuration")
  }
}

/// The library of this machine.
private let real = Library()
private func isHere(_ name: String) -> Bool { Catalogue.entry(named: name).map { real.folder(of: $0) != nil } ?? false }

@Suite("Real data, where this machine has it")
struct RealDataTests {
  @Test(
    "MNIST with its writers",
    .enabled(if: isHere("mnist"), "set MURMUR_DATA to a folder that holds mnist/, or run `murmur data fetch mnist`"))
  func mnist() async throws {
    let start = (ContinuousClock.now, clock())
    let set = try real.load("mnist")
    print("MNIST loaded in \(start.0.duration(to: .now)), \((clock() - start.1) / 1000) ms of processor time")
    #expect(set.count == 70_000 && set.testFrom == 60_000 && set.samples.width == 784 && set.samples.classes == 10)
    #expect(set.samples.labels.prefix(5) == [5, 0, 4, 1, 9])
    let entry = try #require(Catalogue.entry(named: "mnist"))
    #expect(try await real.verify(entry).allSatisfy(\.isGood))
    guard let groups = set.groups else { return }
    #expect(Set(groups[..<60_000]).count == 539 && Set(groups[60_000...]).count == 297)
    let split = try Split.make(set, peers: 20, rowsPerPeer: 500, partition: .byGroup, chance: Chance(seed: 1))
    #expect(split.peers.allSatisfy { $0.count == 500 } && split.test.count == 10_000)
    var owner: [Int32: Int] = [:]
    for (peer, rows) in split.peers.enumerated() {
      for row in rows { #expect(owner.updateValue(peer, forKey: groups[Int(row)]) ?? peer == peer) }
    }
  }

  @Test(
    "Fashion-MNIST",
    .enabled(if: isHere("fashion-mnist"), "install Debian's dataset-fashion-mnist, or run `murmur data fetch fashion-mnist`"))
  func fashion() async throws {
    #expect(try real.load("fashion-mnist").count == 70_000)
    let entry = try #require(Catalogue.entry(named: "fashion-mnist"))
    #expect(try await real.verify(entry).allSatisfy(\.isGood))
  }

  @Test("HIGGS", .enabled(if: isHere("higgs"), "set MURMUR_DATA to a folder that holds higgs/, or run `murmur data fetch higgs`"))
  func higgs() throws {
    let set = try real.load("higgs")
    #expect(set.samples.width == 28 && set.samples.classes == 2 && set.count >= 18_477)
    let split = try Split.make(set, peers: 20, rowsPerPeer: 700, chance: Chance(seed: 1))
    #expect(split.peers.allSatisfy { $0.count == 700 } && !split.overlapping)
  }

  @Test("a table of 40 MB is read at full speed")
  func speed() throws {
    var text: [UInt8] = Array("label,a,b,c,d,e,f,g,h\n".utf8)
    var chance = Chance(seed: 1)
    let lines = (0..<500).map { _ in
      Array("\(chance.below(2)),".utf8) + Array((0..<8).map { _ in "\(Float(chance.normal()))" }.joined(separator: ",").utf8) + [
        10
      ]
    }
    while text.count < 40_000_000 { text += lines[chance.below(500)] }
    let start = (ContinuousClock.now, clock())
    let set = try CSV.parse(bytes: text, file: "speed.csv")
    let time = start.0.duration(to: .now)
    print("CSV: \(text.count / 1_000_000) MB, \(set.count) rows in \(time), \((clock() - start.1) / 1000) ms of processor time")
    #expect(set.samples.classes == 2)
  }
}
