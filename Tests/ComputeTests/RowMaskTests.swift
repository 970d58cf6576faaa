import MurmurCompute
import MurmurMachines
import Testing

/// Masks are bits, in the value itself or, for more rows than a word has bits, beside it; both say what a list of truths says.
@Suite struct RowMaskTests {
  @Test(arguments: [1, 5, 63, 64, 65, 128, 200]) func `a mask says of every row what it was made from`(rows: Int) {
    let seed: UInt64 = 9
    var chance = Chance(seed: seed).fork("masks", rows)
    for _ in 0..<20 {
      let (first, second) = ((0..<rows).map { _ in chance.happens(0.6) }, (0..<rows).map { _ in chance.happens(0.5) })
      let (a, b) = (RowMask(first), RowMask(second))
      #expect((0..<rows).map { a[$0] } == first, "seed \(seed)")
      #expect((0..<rows).map { (a & b)[$0] } == zip(first, second).map { $0 && $1 }, "seed \(seed)")
      #expect(a & .all == a && .all & a == a)
      #expect(a.count(of: rows) == first.count { $0 } && !a.isAll)
      let twice = a.repeated(2, rows: rows)
      #expect((0..<2 * rows).map { twice[$0] } == first + first)
      var bits = [UInt64](repeating: .max, count: RowMask.words(rows) + 2)
      a.write(to: &bits, at: 1)
      #expect(RowMask(rows: rows, bits: bits[1..<1 + RowMask.words(rows)]) == a)
      #expect(bits[0] == .max && bits[bits.count - 1] == .max, "nothing beside is written")
    }
    #expect(RowMask.none(of: rows).count(of: rows) == 0 && RowMask.all.count(of: rows) == rows)
  }

  @Test(arguments: [3, 64, 70]) func `a sum of some rows is that of matrices which are zero in the others`(rows: Int) {
    let seed: UInt64 = 4
    var sampling = Sampling(seed)
    for width in [1, 16, 21] {
      for count in 1...5 {
        let matrices = (0..<count).map { _ in Matrix(rows: rows, columns: width, sampling.normals(rows * width)) }
        let masks = (0..<count).map { place in
          place == 3 ? RowMask.all : RowMask((0..<rows).map { _ in sampling.chance.happens(0.4) })
        }
        let zeroed = zip(matrices, masks).map { $0.columns(0..<width, keeping: $1) }
        // By value: where all that is added is zero, the sign of the zero may differ.
        #expect(Matrix.sum(matrices, masks)?.array == Matrix.sum(zeroed)?.array, "seed \(seed), \(count) of \(rows) × \(width)")
      }
    }
    #expect(Matrix.sum([], []) == nil)
  }
}
