//! From the text of a token to who it speaks for, and back: the tokens that are welcome here.
