import MurmurCompute
import MurmurDatasets
import MurmurMachines
import MurmurSimulator
import MurmurSplit
import Testing

/// Images that four devices see a quarter of each: discs of some size somewhere, eight pixels by eight.
private enum Discs {
  static func images(seed: UInt64, training: Int = 1_200, tested: Int = 200) throws -> PatchImages {
    var chance = Chance(seed: seed).fork("discs")
    let count = training + tested
    var pixels: [Float] = []
    for _ in 0..<count {
      let (x, y, radius) = (1 + chance.uniform() * 6, 1 + chance.uniform() * 6, 1.5 + chance.uniform() * 1.5)
      for row in 0..<8 {
        for column in 0..<8 {
          let (across, down) = (Double(column) + 0.5 - x, Double(row) + 0.5 - y)
          let distance = (across * across + down * down).squareRoot()
          pixels.append(Float(min(max(radius - distance + 0.5, 0), 1) * 255))
        }
      }
    }
    let data = Dataset(
      name: "discs", samples: Samples(features: pixels, width: 64, labels: [Int32](repeating: 0, count: count), classes: 1),
      testFrom: training, imageShape: .init(height: 8, width: 8))
    return try PatchImages(data)
  }

  static func autoencoder(_ images: PatchImages, seed: UInt64) throws -> PatchAutoencoder {
    var recipe = PatchAutoencoder.Recipe()
    (recipe.epochs, recipe.every, recipe.rate, recipe.batch, recipe.collapse) = (9, 3, 0.03, 32, 0.05)
    return try #require(
      PatchAutoencoder.trained(
        on: images.stacked, training: images.training * 4, recipe: recipe, chance: Chance(seed: seed).fork("autoencoder")))
  }
}

/// The error of a strategy that nobody stops.
private func error(_ strategy: inout some PatchStrategy, dead: Int = 0, links: Drill.Rate = .never) -> Double {
  strategy.risk(dead: dead, links: links) ?? .nan
}

@Suite struct CodesTests {
  @Test(arguments: [1, 2] as [UInt64])
  func `a centred code says the same, and 0 is the best constant`(seed: UInt64) throws {
    let images = try Discs.images(seed: seed)
    let raw = try Discs.autoencoder(images, seed: seed)
    let centred = raw.centred(on: images.stacked)
    let some = images.patches[1]
    let difference = PatchRisk.meanSquared(raw.decode(raw.codes(of: some)), centred.decode(centred.codes(of: some)))
    #expect(difference < 1e-6, "seed \(seed)")
    let mean = PatchRisk.meanRow(images.stacked)
    func distance(_ code: Float) -> Double {
      PatchRisk.meanSquared(centred.decode(Matrix(rows: 1, columns: 1, [code])), mean)
    }
    let best = distance(0)
    for code in stride(from: Float(-2), through: 2, by: 0.25) { #expect(distance(code) >= best - 1e-6, "seed \(seed), \(code)") }
  }

  @Test(arguments: [1, 2] as [UInt64])
  func `a network that begins as zero hands every code on, under any faults`(seed: UInt64) throws {
    let images = try Discs.images(seed: seed)
    let autoencoder = try Discs.autoencoder(images, seed: seed).centred(on: images.stacked)
    var lone = LoneCodes(images, autoencoder)
    for fault in [0, 0.6] {
      var recipe = Perceptrons.Recipe(start: .identity, fault: fault)
      recipe.epochs = 0
      var network = try #require(Perceptrons(images, autoencoder, graph: .complete(4), recipe: recipe, seed: seed))
      let (ours, alone) = (error(&network, links: .fixed(fault)), error(&lone))
      #expect(abs(ours - alone) < 1e-7, "seed \(seed)")
      recipe.epochs = 2
      recipe.batch = 32
      var trained = try #require(Perceptrons(images, autoencoder, graph: .grid(4), recipe: recipe, seed: seed))
      let later = error(&trained)
      #expect(later < alone * 1.05, "seed \(seed), faults \(fault)")
    }
  }

  @Test func `ranks lead there and back, and a sure estimate decodes like its code`() throws {
    var chance = Chance(seed: 5)
    let scale = RankScale(of: (0..<500).map { _ in Float(chance.normal() * 3) } + [Float](repeating: 1, count: 100))
    for _ in 0..<50 {
      let value = Float(chance.normal() * 2)
      #expect(abs(scale.value(scale.rank(value)) - value) < 1e-4)
    }
    #expect(scale.ranks.first == -1 && scale.ranks.last == 1 && scale.quantiles == scale.quantiles.sorted())
    let images = try Discs.images(seed: 5)
    let autoencoder = try Discs.autoencoder(images, seed: 5).centred(on: images.stacked)
    let known = RankScale(of: autoencoder.codes(of: images.stacked).array)
    let layers = [DenseShape(2 * 16, .none)]
    let mixture = known.mixture(autoencoder, devices: 2, steps: 4)
    // The first code lies above three of four steps for sure, the second above none.
    let patches = DenseWork().forward(layers, Matrix(rows: 1, columns: 8, [1, 1, 1, 0, 0, 0, 0, 0]), mixture)[0]
    let codes = Matrix(rows: 2, columns: 1, [known.value(0.4), known.value(-0.8)])
    #expect(PatchRisk.meanSquared(patches.reshaped(columns: 16), autoencoder.decode(codes)) < 1e-10)
  }

  @Test(arguments: [1, 2] as [UInt64])
  func `a dead device's patch is estimated by those that live, or copied`(seed: UInt64) throws {
    let images = try Discs.images(seed: seed)
    let autoencoder = try Discs.autoencoder(images, seed: seed).centred(on: images.stacked)
    var lone = LoneCodes(images, autoencoder)
    var recipe = BackupHeads.Recipe()
    (recipe.epochs, recipe.batch, recipe.heads) = (12, 32, [32])
    var heads = try #require(BackupHeads(images, autoencoder, recipe: recipe, seed: seed))
    recipe.hasCopies = true
    var copies = try #require(BackupHeads(images, autoencoder, recipe: recipe, seed: seed))
    let (whole, constant) = (error(&lone), error(&lone, dead: 1))
    let (unhurt, estimated) = (error(&heads), error(&heads, dead: 1))
    #expect(unhurt == whole)
    #expect(estimated - whole < (constant - whole) * 0.9, "seed \(seed): \(whole), \(estimated), \(constant)")
    let (copied, two, without) = (error(&copies, dead: 1), error(&copies, dead: 2), error(&heads, dead: 2))
    #expect(copied == whole && two > whole && two < without, "seed \(seed)")
  }

  @Test(arguments: [1, 2] as [UInt64])
  func `codes that are made together are worth more than as many alone`(seed: UInt64) throws {
    let images = try Discs.images(seed: seed)
    var recipe = JointCodes.Recipe()
    (recipe.encoder, recipe.decoder, recipe.epochs, recipe.batch, recipe.rate) = ([32], [64], 20, 32, 0.005)
    var joint = try #require(JointCodes(images, recipe: recipe, seed: seed))
    let sent = joint.statistics.messages
    (recipe.drop, recipe.links) = (0, 1)
    var silent = try #require(JointCodes(images, recipe: recipe, seed: seed))
    let (whole, one) = (error(&joint), error(&joint, dead: 1))
    let (alone, oneAlone) = (error(&silent), error(&silent, dead: 1))
    #expect(whole < alone && one < oneAlone && whole < one, "seed \(seed): \(whole), \(one), alone \(alone), \(oneAlone)")
    // Two stages, three neighbours: the codes forward, and gradients of them back.
    let steps = Int(recipe.epochs) * (images.training / recipe.batch)
    #expect(sent == steps * 4 * 3 * 2)
    // Whoever died is back, and as good as before.
    let again = error(&joint)
    #expect(again == whole)
  }

  @Test func `choices of dead devices are complete, and patches lie where they belong`() throws {
    #expect(PatchChoices.all(2, of: 4) == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]])
    #expect(PatchChoices.all(0, of: 4) == [[]])
    let images = try Discs.images(seed: 3, training: 60, tested: 10)
    let place = images.place(of: 1)
    #expect(place.x == 0.5 && place.y == 0 && place.width == 0.5 && place.height == 0.5)
    let bytes = images.bytes(of: images.images, row: 7)
    let top = images.patches[0].taking([7]).array
    #expect((0..<4).allSatisfy { abs(Float(bytes[8 + $0]) - top[4 + $0] * 255) <= 1 })
  }
}
