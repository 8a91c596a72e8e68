//! The face of printed forms: Tinos, whose letters are as wide as those of Times New Roman, in
//! which administrative documents are written. Cut to Latin and Vietnamese, embedded whole.

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Finish as _, Name, Pdf, Rect, Ref, Str};
use ttf_parser::GlyphId;

use super::deflate;

/// What encodes glyphs by their own numbers.
const SYSTEM: SystemInfo<'static> =
    SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// How text is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Regular,
    Bold,
    Italic,
}

impl Style {
    /// All of them; a style's place here is its place among faces.
    pub const ALL: [Self; 3] = [Self::Regular, Self::Bold, Self::Italic];

    /// Its name in a page's resources.
    pub fn name(self) -> &'static [u8] {
        match self {
            Self::Regular => b"R",
            Self::Bold => b"B",
            Self::Italic => b"I",
        }
    }

    fn file(self) -> &'static [u8] {
        match self {
            Self::Regular => include_bytes!("Tinos-Regular.ttf"),
            Self::Bold => include_bytes!("Tinos-Bold.ttf"),
            Self::Italic => include_bytes!("Tinos-Italic.ttf"),
        }
    }

    fn postscript(self) -> &'static [u8] {
        match self {
            Self::Regular => b"LOABAN+Tinos",
            Self::Bold => b"LOABAN+Tinos-Bold",
            Self::Italic => b"LOABAN+Tinos-Italic",
        }
    }
}

/// One face, read.
pub(super) struct Face {
    style: Style,
    letters: ttf_parser::Face<'static>,
    /// Units of the face in one em.
    em: f32,
}

impl Face {
    /// The face of a style.
    pub fn of(style: Style) -> Self {
        let letters = ttf_parser::Face::parse(style.file(), 0).expect("the embedded face is whole");
        let em = f32::from(letters.units_per_em());
        Self { style, letters, em }
    }

    /// Its style.
    pub fn style(&self) -> Style {
        self.style
    }

    /// The glyphs of a text, two bytes each. What the face has no letter for is an empty box.
    pub fn glyphs(&self, text: &str) -> Vec<u8> {
        text.chars().flat_map(|c| self.glyph(c).0.to_be_bytes()).collect()
    }

    /// How wide a text is at a size, in points.
    pub fn width(&self, text: &str, size: f32) -> f32 {
        let units = |c| f32::from(self.letters.glyph_hor_advance(self.glyph(c)).unwrap_or(0));
        text.chars().map(units).sum::<f32>() / self.em * size
    }

    fn glyph(&self, c: char) -> GlyphId {
        self.letters.glyph_index(c).unwrap_or(GlyphId(0))
    }

    /// Embeds the face as `id`.
    pub fn write(&self, pdf: &mut Pdf, id: Ref, mut next: impl FnMut() -> Ref) {
        let (cid, descriptor, file, map) = (next(), next(), next(), next());
        let name = Name(self.style.postscript());
        let mut font = pdf.type0_font(id);
        font.base_font(name).encoding_predefined(Name(b"Identity-H"));
        font.descendant_font(cid).to_unicode(map);
        font.finish();
        self.write_widths(pdf, cid, descriptor);
        self.write_descriptor(pdf, descriptor, file);
        let bytes = self.style.file();
        let packed = deflate(bytes);
        let length = i32::try_from(bytes.len()).expect("a face of some kilobytes");
        let mut stream = pdf.stream(file, &packed);
        stream.filter(pdf_writer::Filter::FlateDecode).pair(Name(b"Length1"), length);
        stream.finish();
        pdf.cmap(map, &self.unicode());
    }

    fn write_widths(&self, pdf: &mut Pdf, id: Ref, descriptor: Ref) {
        let mut font = pdf.cid_font(id);
        font.subtype(CidFontType::Type2).base_font(Name(self.style.postscript()));
        font.system_info(SYSTEM).font_descriptor(descriptor).default_width(0.0);
        font.cid_to_gid_map_predefined(Name(b"Identity"));
        let width = |n| f32::from(self.letters.glyph_hor_advance(GlyphId(n)).unwrap_or(0));
        let widths = (0..self.letters.number_of_glyphs()).map(|n| width(n) * 1000.0 / self.em);
        font.widths().consecutive(0, widths);
        font.finish();
    }

    fn write_descriptor(&self, pdf: &mut Pdf, id: Ref, file: Ref) {
        let units = |n: i16| f32::from(n) * 1000.0 / self.em;
        let bounds = self.letters.global_bounding_box();
        let mut flags = FontFlags::SERIF | FontFlags::NON_SYMBOLIC;
        flags.set(FontFlags::ITALIC, self.style == Style::Italic);
        let mut descriptor = pdf.font_descriptor(id);
        descriptor.name(Name(self.style.postscript())).flags(flags);
        descriptor.bbox(Rect::new(
            units(bounds.x_min),
            units(bounds.y_min),
            units(bounds.x_max),
            units(bounds.y_max),
        ));
        descriptor.italic_angle(if self.style == Style::Italic { -16.0 } else { 0.0 });
        descriptor.ascent(units(self.letters.ascender())).descent(units(self.letters.descender()));
        descriptor.cap_height(units(self.letters.capital_height().unwrap_or(1_341)));
        descriptor.stem_v(if self.style == Style::Bold { 140.0 } else { 80.0 }).font_file2(file);
        descriptor.finish();
    }

    /// Which letter each glyph is, so that text can be searched and copied.
    fn unicode(&self) -> Vec<u8> {
        let mut map = UnicodeCmap::<u16>::new(Name(b"LoaBan-UCS2"), SYSTEM);
        let tables = self.letters.tables().cmap.into_iter().flat_map(|cmap| cmap.subtables);
        let mut seen = std::collections::BTreeMap::new();
        for table in tables.filter(ttf_parser::cmap::Subtable::is_unicode) {
            table.codepoints(|code| {
                if let (Some(glyph), Some(c)) = (table.glyph_index(code), char::from_u32(code)) {
                    seen.entry(glyph.0).or_insert(c);
                }
            });
        }
        for (glyph, c) in seen {
            map.pair(glyph, c);
        }
        map.finish().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vietnamese_letter_has_a_glyph_in_every_style() {
        let letters = "AĂÂBCDĐEÊGHIKLMNOÔƠPQRSTUƯVXY aăâbcdđeêghiklmnoôơpqrstuưvxy ẢẠÃÁÀ ẳặẵắằ ẩậẫấầ \
            ẻẹẽéè ểệễếề ỉịĩíì ỏọõóò ổộỗốồ ởợỡớờ ủụũúù ửựữứừ ỷỵỹýỳ ŨỤỲỴ – — · … “” ₫ № % 0123456789";
        for face in Style::ALL.map(Face::of) {
            for c in letters.chars() {
                assert!(face.letters.glyph_index(c).is_some(), "{c} in {:?}", face.style());
            }
        }
    }

    #[test]
    fn a_text_is_as_wide_as_its_letters() {
        let face = Face::of(Style::Regular);
        let both = face.width("Bản", 12.0);
        assert!((both - face.width("B", 12.0) - face.width("ản", 12.0)).abs() < 1e-3);
        assert_eq!(face.glyphs("Bản").len(), 6);
    }
}
