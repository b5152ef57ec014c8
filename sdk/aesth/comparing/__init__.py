"""Two photos in the browser, of which a person takes the one that they like better: `aesth learn --compare`."""
