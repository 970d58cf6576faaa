extension Catalogue {
  static let digits = Entry(
    name: "digits", summary: "UCI optical digits, 1,797 × 64, 10 classes; built in", licence: "CC BY 4.0", files: [],
    rowLimit: nil,
    form: .builtIn)

  static let mnist = Entry(
    name: "mnist", summary: "handwritten digits, 60,000 + 10,000 images of 28 × 28, 10 classes",
    licence: "CC BY-SA 3.0, as usually given",
    files: images(
      "https://ossci-datasets.s3.amazonaws.com/mnist/",
      [
        (9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"), (28_881, "d53e105ee54ea40749a09fcbcd1e9432"),
        (1_648_877, "9fb629c4189551a2d022fa330f9573f3"), (4_542, "ec29112dd5afa0611ce80d1b7f02629c"),
      ])
      + [
        File("mnist_train_writer_ids_u16le.bin.gz", isOptional: true),
        File("mnist_test_writer_ids_u16le.bin.gz", isOptional: true),
      ],
    rowLimit: nil, form: .images(writers: true))

  static let fashionMNIST = Entry(
    name: "fashion-mnist", summary: "pictures of clothes, 60,000 + 10,000 images of 28 × 28, 10 classes", licence: "MIT",
    files: images(
      "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
      [
        (26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"), (29_515, "25c81989df183df01b3e8a0aad5dffbe"),
        (4_422_102, "bef4ecab320f06d8554ea6380940ec79"), (5_148, "bb300cfdad3c16e7a12a480ee83cd310"),
      ],
      // Debian's dataset-fashion-mnist, which leaves the names out of the compressed files.
      repacked: [
        (26_421_856, "cf8536b0aa1a6ac5fa3f23001093305c"), (29_491, "10bea18fdb374794d4bb42e356e600c9"),
        (4_422_079, "f78720b4224f21cce2f2ccf2d7a94c9a"), (5_125, "0d30e22e447f3c33dab9ed536400ac01"),
      ]), rowLimit: nil, form: .images(writers: false))

  static let hepmass = Entry(
    name: "hepmass", summary: "particle collisions, 7,000,000 + 3,500,000 × 28, 2 classes", licence: "CC BY 4.0",
    files: [
      File(
        "all_train.csv.gz", bytes: 1_760_680_846,
        checksum: .sha256("52061273edbe84cbfff6cc5432a04366d3401c39baf80da99d9baf91e0165498"),
        url: "https://archive.ics.uci.edu/ml/machine-learning-databases/00347/all_train.csv.gz"),
      File(
        "all_test.csv.gz", bytes: 880_352_641,
        checksum: .sha256("eccba00f8d82c471c582ab629084103356f8dda637fad6d43f16a056673091b3"),
        url: "https://archive.ics.uci.edu/ml/machine-learning-databases/00347/all_test.csv.gz", isOptional: true),
    ], rowLimit: 1_000_000, form: .tables(subset: nil, header: true))

  static let higgs = Entry(
    name: "higgs", summary: "particle collisions, 11,000,000 × 28 (or a subset of them), 2 classes", licence: "CC BY 4.0",
    files: [
      File(
        "HIGGS.csv.gz", bytes: 2_816_407_858,
        checksum: .sha256("ea302c18164d4e3d916a1e2e83a9a8d07069fa6ebc7771e4c0540d54e593b698"),
        url: "https://archive.ics.uci.edu/ml/machine-learning-databases/00280/HIGGS.csv.gz")
    ], rowLimit: 1_000_000, form: .tables(subset: "higgs_18477.csv.gz", header: false))

  /// The four files every data set in MNIST's form has.
  static func images(
    _ base: String, _ facts: [(bytes: Int, md5: String)], repacked: [(bytes: Int, md5: String)] = []
  ) -> [File] {
    imageFiles.enumerated().map { place, name in
      let other = place < repacked.count ? repacked[place] : nil
      return File(
        name, bytes: facts[place].bytes, checksum: .md5(facts[place].md5), url: base + name,
        repacked: other.map { File.Repacked(bytes: $0.bytes, checksum: .md5($0.md5)) })
    }
  }

  static let imageFiles = [
    "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz",
  ]
}
