package main

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const outputType = "application/json"

type counted struct {
	Words      int         `json:"words"`
	Characters int         `json:"characters"`
	Lines      int         `json:"lines"`
	Frequent   []frequency `json:"frequent"`
}

type frequency struct {
	Word  string `json:"word"`
	Count int    `json:"count"`
}

// count gives the figures of a text as JSON: the most frequent words first, those that are as frequent by the alphabet.
func count(text string, top int) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\''
	})
	counts := map[string]int{}
	for _, word := range words {
		counts[word]++
	}
	frequent := []frequency{}
	for word, times := range counts {
		frequent = append(frequent, frequency{word, times})
	}
	slices.SortFunc(frequent, func(a, b frequency) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(a.Word, b.Word)
	})
	lines := len(strings.Split(strings.TrimSuffix(text, "\n"), "\n"))
	result, _ := json.Marshal(counted{len(words), utf8.RuneCountInString(text), lines, frequent[:min(top, len(frequent))]})
	return string(result) + "\n"
}
