import MurmurReports
import Testing

@Suite struct PictureTests {
  @Test func `base 64 is that of RFC 4648`() {
    let known = ["": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "fooba": "Zm9vYmE=", "foobar": "Zm9vYmFy"]
    for (text, expected) in known.sorted(by: { $0.key < $1.key }) { #expect(Base64.text(Array(text.utf8)) == expected) }
  }

  @Test func `a picture is a PNG whose checks are right`() {
    let picture = PictureChart.Picture(width: 3, height: 2, pixels: [0, 128, 255, 7, 8, 9])
    let file = PNG.grey(picture)
    #expect(file.prefix(8) == [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    // The end's check is the same in every file.
    #expect(file.suffix(12) == [0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82])
    // Two rows, each after its filter's number, in one block that is not compressed.
    let start = file.count - 12 - 4 - 4 - 8
    #expect(file[start..<start + 8] == [0, 0, 128, 255, 0, 7, 8, 9])
    #expect(file[start - 5..<start] == [1, 8, 0, 247, 255])
  }

  @Test func `pictures are drawn with their names, and frames around parts`() {
    let frame = PictureChart.Frame(x: 0.5, y: 0, width: 0.5, height: 0.5)
    let picture = PictureChart.Picture(width: 2, height: 2, pixels: [0, 1, 2, 3], frames: [frame])
    let chart = PictureChart(columns: ["a", "b"], rows: [.init("one <dead>", [picture, picture])])
    let svg = Chart.pictures(chart).svg(identifier: "p", title: "Figure 3")
    #expect(svg.contains("data:image/png;base64,iVBOR") && svg.contains("one &lt;dead&gt;"))
    #expect(svg.split(separator: "<image").count == 3 && svg.split(separator: "<rect").count == 3)
  }
}
