"""`kyodaku review`: a person looks at what was set aside, or at a sample of what would be released."""
