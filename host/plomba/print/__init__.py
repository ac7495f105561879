"""What is printed: sheets of QR codes with words."""
