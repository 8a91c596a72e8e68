//! `audio-samples/samples.toml` says what the files are.

use std::fs;

use toml::Table;

use crate::cast::checkout;

#[test]
fn every_sample_is_listed_with_origin_licence_and_label_and_every_listed_file_is_there() {
    let folder = checkout().join("audio-samples");
    let text = fs::read_to_string(folder.join("samples.toml")).unwrap();
    let table: Table = toml::from_str(&text).unwrap();
    let mut listed = Vec::new();
    for sample in table["sample"].as_array().unwrap() {
        let word = |key: &str| sample[key].as_str().unwrap().to_owned();
        listed.push(word("file"));
        assert!(!word("origin").is_empty() && word("licence") == "CC0-1.0");
        let stand_in = sample["stand_in"].as_bool().unwrap();
        assert_eq!(stand_in, word("language") != "vi", "only the Vietnamese ones speak it");
        assert_eq!(stand_in, word("label_vi").contains("thay thế"), "{}", word("file"));
    }
    listed.sort();
    let sounds = |name: &String| {
        !name.ends_with("toml")
            && !name.ends_with("sh")
            && !name.ends_with("py")
            && !name.ends_with("md")
            && name != "hard"
    };
    let mut there: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(sounds)
        .collect();
    there.sort();
    assert_eq!(listed, there);
}
