console.log(7;
